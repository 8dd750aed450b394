"""What people are told, as text, and the templates that operators write."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from monitor.model import (
    account_subject,
    ledger_subject,
    node_subject,
    subject_of,
    transaction_subject,
)
from monitor.notices import (
    ALSO_MAX,
    BODY_CHARACTERS_MAX,
    NOTICES_MAX,
    SAMPLE,
    Message,
    Notice,
    TemplateProblem,
    render,
    template_problem,
)

STALL = SAMPLE.notices[0]
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "notifications.md"


def test_message_has_a_headline_and_a_paragraph_a_finding() -> None:
    """What is wrong, by how much, since when, where to look, what follows from it."""
    assert SAMPLE.title == "FAILED node local: stall"
    assert SAMPLE.text.splitlines() == [
        "FAILED node local: stall [ethereum]",
        STALL.summary,
        "measured 9 blocks, limit 2 blocks; for 1 min 52 s, since 02:25:00 UTC",
        "first look: If only this node stands: restart or re-peer it.",
        "also: head of node local failed",
        STALL.url,
        STALL.runbook_url,
    ]


@pytest.mark.parametrize(
    ("notice", "word", "line"),
    [
        (replace(STALL, kind="closed", level="ok", before="failed"), "OK", "lasted 1 min 52 s"),
        (replace(STALL, kind="changed", before="unknown"), "FAILED", "was unknown"),
        (replace(STALL, kind="reminder"), "STILL FAILED", "for 1 min 52 s"),
        (replace(STALL, kind="flapping"), "FLAPPING", "nothing more is told of it until"),
        (replace(STALL, kind="settled", before="failed"), "FAILED", "was failed"),
    ],
    ids=lambda value: value.kind if isinstance(value, Notice) else "",
)
def test_notice_says_what_kind_of_news_it_is(notice: Notice, word: str, line: str) -> None:
    """The first word of headline and paragraph, and the fact that goes with it."""
    message = replace(SAMPLE, notices=(notice,))
    assert message.title == f"{word} node local: stall"
    assert message.text.startswith(f"{word} node local: stall")
    assert line in message.text


def test_closing_needs_no_remedy_and_no_runbook() -> None:
    """There is nothing left to do."""
    text = replace(SAMPLE, notices=(replace(STALL, kind="closed", level="ok"),)).text
    assert STALL.remedy not in text
    assert STALL.runbook_url not in text


@pytest.mark.parametrize("more", [0, 7])
@pytest.mark.parametrize("count", [1, 3, 4, NOTICES_MAX])
def test_long_message_is_cut_and_says_how_much_it_leaves_out(count: int, more: int) -> None:
    """However many there are, the text is bounded, and every notice is named or counted."""
    notices = tuple(replace(STALL, who=f"node n{n}", summary="x" * 400) for n in range(count))
    message = Message(at="", level="failed", notices=notices, more=more, url=STALL.url)
    assert len(message.text) <= BODY_CHARACTERS_MAX
    named = len(re.findall(r"FAILED node n\d+", message.text))
    counted = re.search(r"and (\d+) more: http", message.text)
    assert named + (int(counted[1]) if counted else 0) == count + more
    titled = re.search(r"and (\d+) more$", message.title)
    assert message.title.count("FAILED") + (int(titled[1]) if titled else 0) == count + more


def test_checks_of_one_subject_share_a_headline() -> None:
    """The subject is named once."""
    message = replace(SAMPLE, notices=(STALL, replace(STALL, check="fork")))
    assert message.title == "FAILED node local: stall, fork"


def test_many_consequences_are_counted() -> None:
    """A cause that explains a whole network fits into one paragraph."""
    also = tuple(replace(STALL, who=f"node {n}") for n in range(ALSO_MAX + 4))
    assert "and 4 more" in replace(SAMPLE, notices=(replace(STALL, also=also),)).text


def test_lost_notices_are_spoken_of() -> None:
    """Who was out of reach learns that something is missing."""
    assert "3 older notices were lost" in replace(SAMPLE, dropped=3).text


# -- templates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ message.title }}",
        "{{ message.text }}",
        "{% for notice in message.notices %}{{ notice.who }}: {{ notice.summary }}\n{% endfor %}",
        "{% for n in message.notices %}{% for a in n.also %}{{ a.check }}{% endfor %}{% endfor %}",
        "{% if message.kind == 'closed' %}over{% else %}{{ message.level|upper }}{% endif %}",
        "no words at all",
    ],
)
def test_template_of_known_words_is_accepted(text: str) -> None:
    """Everything that is documented can be written."""
    assert template_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n{{ message.titel }}", "line 2 of the template: Message has no attribute 'titel'; did"),
        ("a\n\n{{ x", "line 3 of the template: unexpected end"),
        ("{% for n in message.notices %}\n{{ n.zzz }}{% endfor %}", "line 2 of the template: Not"),
        ("a\n{% if 0 %}{{ who }}{% endif %}", "line 2 of the template: nothing is called 'who'"),
        ("{{ message.title|nofilter }}", "line 1 of the template: No filter named 'nofilter'"),
        ("a\n{{ 1 // 0 }}", "line 2 of the template: "),
        ("a\n{{ message.notices[1].who }}", "line 2 of the template: "),
        ("{{ message.notices.append }}", "line 1 of the template: "),
        ("{{ message.__class__.__mro__ }}", "line 1 of the template: access to attribute"),
        ("{{ range(10**9)|list }}", "line 1 of the template: "),
        ("{% include 'other' %}", "line 1 of the template: "),
        ("{% if message.kind == 'flapping' %}\n{{ message.zzz }}{% endif %}", "line 2 of the"),
    ],
)
def test_broken_template_is_refused_with_its_line(text: str, problem: str) -> None:
    """A mistake is found at load and not on the night of the first trouble."""
    assert template_problem(text).startswith(problem)


def test_unknown_word_names_what_there_is() -> None:
    """A word that is near is proposed; where none is, all are listed."""
    assert template_problem("{{ message.titel }}").endswith("did you mean 'title'?")
    assert "it has at, dropped, kind" in template_problem("{{ message.zzzzz }}")


def test_template_that_cannot_be_filled_in_raises() -> None:
    """Whoever sends can fall back on the default text."""
    with pytest.raises(TemplateProblem, match="line 1"):
        render("{{ message.nothing }}", SAMPLE)


def test_rendered_text_is_plain_text() -> None:
    """What is escaped for HTML is escaped by whoever makes HTML."""
    message = replace(SAMPLE, url="http://127.0.0.1/?a=1&b=2")
    assert render("{{ message.url }}", message) == message.url


@pytest.mark.parametrize("kind", [Message, Notice])
def test_every_word_of_a_template_is_documented(kind: type) -> None:
    """The page lists each field, and so does the list of kinds."""
    text = DOCUMENT.read_text(encoding="utf-8")
    words = [field.name for field in fields(kind)]
    words += [name for name, value in vars(kind).items() if isinstance(value, property)]
    assert [word for word in words if f"`{word}`" not in text] == []


def test_documentation_names_every_kind_of_subject() -> None:
    """Whoever writes a template by them meets no other."""
    text = DOCUMENT.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `subject` "))
    subjects = (
        node_subject("NAME"),
        subject_of("NETWORK/NAME"),
        account_subject("ALIAS"),
        ledger_subject("NAME"),
        transaction_subject("HASH"),
    )
    assert [one for one in subjects if f"`{one}`" not in row] == []


def test_templates_of_the_documentation_are_accepted() -> None:
    """An operator begins with what is printed there."""
    block = DOCUMENT.read_text(encoding="utf-8").split("    title: ", 1)[1].split("\n\n")[0]
    title, body = block.split("\n    body: |\n")
    assert template_problem(title.strip('"')) == ""
    assert template_problem(body) == ""
    assert "node local: stands at block" in render(body, SAMPLE)
