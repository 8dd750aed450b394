/* The chart of a node's lag, drawn by uPlot from /api/v1/history. Where it cannot be drawn, the
   line that came with the page stays. */
"use strict";
(() => {
  const box = document.getElementById("chart");
  const plain = document.getElementById("lag");
  if (!box || !plain || !window.uPlot || !window.fetch) return;
  const HEIGHT = 220;
  const GAP_SECONDS = 600;
  const DAY_SECONDS = 86400;
  const RENEW_MS = 60000; // the history is written minute by minute
  const DEADLINE_MS = 10000;
  let plot = null;
  let known = null;
  let drawnAt = 0;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // By 24 hours and in UTC, as everything else on the page; midnight shows the date.
  const hours = (_, splits) => splits.map((seconds) => {
    const text = new Date(seconds * 1000).toISOString();
    return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
  });

  // Where nobody looked for a while there is no line.
  const broken = (times, values) => {
    const at = [];
    const lag = [];
    times.forEach((time, place) => {
      if (place && time - times[place - 1] > GAP_SECONDS) {
        at.push(times[place - 1] + 1);
        lag.push(null);
      }
      at.push(time);
      lag.push(values[place]);
    });
    return [at, lag];
  };

  const draw = () => {
    const limit = known.limit_blocks;
    const now = Number(document.body.dataset.at);
    const [at, lag] = broken(known.at, known.lag_blocks);
    const most = 1.1 * Math.max(limit * 1.15, ...lag.filter((value) => value !== null));
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
    const options = {
      width: box.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { time: true, range: () => [now - DAY_SECONDS, now] }, y: { range: () => [Math.min(0, ...lag.filter((value) => value !== null)), most] } },
      axes: [{ ...axis, values: hours, space: 64 }, { ...axis, size: 44 }],
      series: [
        { label: "UTC", value: (_, value) => (value === null ? "–" : new Date(value * 1000).toISOString().slice(0, 16).replace("T", " ")) },
        { label: "behind", stroke: colour("--accent"), fill: colour("--accent-back"), width: 2, value: (_, value) => (value === null ? "not seen" : `${value} blocks`) },
        { label: "limit", stroke: colour("--failed"), dash: [6, 4], width: 1.5, points: { show: false }, value: (_, value) => (value === null ? "–" : `${value} blocks`) },
      ],
    };
    if (plot) plot.destroy();
    plot = new uPlot(options, [at, lag, at.map(() => limit)], box);
  };

  const renew = async () => {
    if (Date.now() - drawnAt < RENEW_MS) return;
    drawnAt = Date.now();
    try {
      const address = `/api/v1/history?node=${encodeURIComponent(box.dataset.node)}&hours=24`;
      const answer = await fetch(address, { signal: AbortSignal.timeout(DEADLINE_MS) });
      if (!answer.ok) return;
      const history = await answer.json();
      if (history.at.length < 2) return;
      known = history;
    } catch (error) {
      return; // The page itself says when the connection is lost.
    }
    plain.hidden = true;
    box.hidden = false;
    draw();
  };

  const redraw = () => {
    if (known) draw();
  };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let width = 0;
  new ResizeObserver(() => {
    if (plot && box.clientWidth !== width) {
      width = box.clientWidth;
      plot.setSize({ width, height: HEIGHT });
    }
  }).observe(box);
  document.addEventListener("headwatch:news", renew);
  renew();
})();
