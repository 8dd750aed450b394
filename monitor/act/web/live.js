/* Keeps a page as it is now: hears of news by server-sent events, fetches the same page and changes
   what is different in it. What a reader has opened, focused or scrolled to stays as it is. Without
   it the page reloads itself; with it, and no events to be had, it fetches every few seconds. */
"use strict";
(() => {
  const QUIET_MS = 15000; // without news for so long, ask anyway
  const PAUSE_MS = 2000; // at least between two fetches
  const KEPT_MS = 600; // the server hands out what it has drawn for half a second
  const DEADLINE_MS = 10000;
  const box = document.getElementById("live");
  if (!box || !window.EventSource || !window.fetch || !window.DOMParser) return;
  const words = document.getElementById("live-words");
  const button = document.getElementById("live-pause");
  const refresh = Number(document.body.dataset.refresh);
  let isPaused = !refresh;
  let isLost = false;
  let isFetching = false;
  let isWanted = false;
  let fetchedAt = Date.now();
  let source = null;
  let timer = 0;

  const say = () => {
    const text = isPaused ? "paused" : isLost ? "connection lost" : "live";
    if (words.textContent !== text) words.textContent = text;
    button.textContent = isPaused ? "resume" : "pause";
    document.body.classList.toggle("lost", isLost && !isPaused);
  };

  // A copy for this page, in which what is kept takes the place of its like.
  const made = (fresh) => {
    const copy = document.importNode(fresh, true);
    if (copy.nodeType === Node.ELEMENT_NODE) {
      for (const child of copy.querySelectorAll("[data-keep]")) {
        const kept = document.getElementById(child.id);
        if (kept) child.replaceWith(kept);
      }
    }
    return copy;
  };

  // Old becomes like fresh: as few nodes as possible are touched.
  const morph = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      old.replaceWith(made(fresh));
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.hasAttribute("data-keep") || old.nodeName === "NOSCRIPT" || old.nodeName === "SELECT") return;
    for (const { name, value } of fresh.attributes) {
      if (name === "open" && old.nodeName === "DETAILS") continue;
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (fresh.hasAttribute(name) || (name === "open" && old.nodeName === "DETAILS")) continue;
      if (name !== "hidden" || !old.hasAttribute("data-hides")) old.removeAttribute(name);
    }
    children(old, fresh);
  };

  const children = (old, fresh) => {
    const named = new Map();
    for (const child of old.children) if (child.id) named.set(child.id, child);
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = child.id ? named.get(child.id) : null;
      if (same) {
        if (same === place) place = place.nextSibling;
        else old.insertBefore(same, place);
        morph(same, child);
      } else if (place && !place.id && !child.id && place.nodeName === child.nodeName) {
        const next = place.nextSibling;
        morph(place, child);
        place = next;
      } else {
        old.insertBefore(made(child), place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const focused = document.activeElement;
    for (const id of ["band", "main"]) {
      const old = document.getElementById(id);
      const next = fresh.getElementById(id);
      if (!old || !next) throw new Error(`no #${id}`);
      morph(old, next);
    }
    document.title = fresh.title;
    document.body.dataset.at = fresh.body.dataset.at;
    const icon = fresh.querySelector("link[rel=icon]").getAttribute("href");
    const shown = document.querySelector("link[rel=icon]");
    if (shown.getAttribute("href") !== icon) shown.setAttribute("href", icon);
    // An element that was moved has lost it.
    if (focused && focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
    document.dispatchEvent(new Event("headwatch:news"));
  };

  const renew = async () => {
    if (isPaused || document.hidden) return;
    if (isFetching) {
      isWanted = true;
      return;
    }
    isFetching = true;
    try {
      const answer = await fetch(location.href.split("#")[0], {
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const text = await answer.text();
      if (!isPaused) show(text);
      isLost = false;
    } catch (error) {
      isLost = true;
    }
    isFetching = false;
    fetchedAt = Date.now();
    say();
    if (isWanted) {
      isWanted = false;
      soon();
    }
  };

  const soon = () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      renew();
    }, Math.max(KEPT_MS, fetchedAt + PAUSE_MS - Date.now()));
  };

  const listen = () => {
    if (source) return;
    source = new EventSource("/api/v1/events");
    // The first tick of a line is the newest one there was: it may be older than the page.
    let isFirst = true;
    source.addEventListener("open", () => {
      isFirst = true;
      if (isLost) soon();
    });
    source.addEventListener("tick", (event) => {
      if (!isFirst || JSON.parse(event.data).at > Number(document.body.dataset.at)) soon();
      isFirst = false;
    });
    source.addEventListener("error", () => {
      // A line that broke is tried again by the browser; one that was refused is not.
      if (source && source.readyState === EventSource.CLOSED) source = null;
      soon();
    });
  };

  const hush = () => {
    if (source) source.close();
    source = null;
  };

  const wake = () => {
    if (isPaused || document.hidden) {
      hush();
    } else {
      listen();
      soon();
    }
    say();
  };

  button.addEventListener("click", () => {
    isPaused = !isPaused;
    wake();
  });
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pagehide", hush);
  setInterval(() => {
    if (isPaused || document.hidden) return;
    const isListening = source && source.readyState === EventSource.OPEN;
    if (Date.now() - fetchedAt < (isListening ? QUIET_MS : refresh * 1000 || QUIET_MS)) return;
    listen();
    soon();
  }, 1000);
  box.hidden = false;
  say();
  if (!isPaused && !document.hidden) listen();
})();
