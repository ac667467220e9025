"use strict";

const QUIET_MS = 4000; // the gateway sends a page each second
const byId = (id) => document.getElementById(id);
let page = null;
let heard = 0;
let bands = [];
let outline = "";

function make(tag, classes = "", text = "") {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text) element.textContent = text;
  return element;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function shape(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  draw(svg, name);
  return svg;
}

function draw(svg, name) {
  if (svg.firstChild.getAttribute("href") !== "#" + name) svg.firstChild.setAttribute("href", "#" + name);
}

const two = (n) => String(n).padStart(2, "0");

// Working seconds on the scale of the longest of them: h:mm from an hour on, else m:ss.
function clock(seconds, scale = seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (scale >= 3600) return Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60);
  return Math.floor(whole / 60) + ":" + two(whole % 60);
}

const unitOf = (scale) => (scale >= 3600 ? "h" : "min");
const one = (value) => value.toFixed(1);

// --- lines ------------------------------------------------------------------------------------------------

function buildTile(station) {
  const tile = make("li", "tile");
  const state = make("div", "state");
  const icon = shape(station.state);
  const word = make("span", "word");
  const since = make("span", "since");
  state.append(icon, word, since);
  const body = make("div", "body");
  const title = make("div", "title");
  const text = make("span", "text", station.title);
  const chips = make("span", "chips");
  title.append(make("span", "number", String(station.number)), text, chips);
  const what = make("div", "what");
  const model = make("span", "model");
  const unit = make("span", "unit");
  what.append(model, unit);
  const cycle = make("div", "cycle");
  const times = make("div", "times");
  const elapsed = make("span", "elapsed");
  const lateBy = make("span", "late-by");
  times.append(elapsed, lateBy);
  const bar = make("div", "bar");
  bar.setAttribute("role", "meter");
  bar.setAttribute("aria-label", "Running cycle of " + station.title + ", percent of plan");
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", "150");
  const inPlan = make("i", "in-plan");
  const beyond = make("i", "beyond");
  bar.append(inPlan, beyond, make("i", "plan"));
  cycle.append(times, bar);
  body.append(title, what, cycle);
  tile.append(state, body);
  return { tile, icon, word, since, chips, model, unit, elapsed, lateBy, bar, inPlan, beyond, chipKey: "" };
}

function buildBand(line) {
  const band = make("section", "band");
  band.setAttribute("aria-label", line.title);
  const head = make("div", "head");
  const name = make("div", "name");
  const shift = make("span");
  name.append(make("h2", "", line.title), shift);
  const takt = make("div", "takt");
  const dial = make("div", "dial");
  const dialText = make("span");
  dial.append(dialText);
  const taktWords = make("div");
  const taktLabel = make("span", "soft", "since last unit");
  const taktMain = make("b");
  const taktPlan = make("span", "soft");
  taktWords.append(taktLabel, taktMain, taktPlan);
  takt.append(dial, taktWords);
  const figures = make("dl", "figures");
  const suspects = make("div", "suspects");
  head.append(name, takt, figures, suspects);
  const list = make("ol", "stations");
  list.style.setProperty("--columns", String(Math.ceil(line.stations.length / 2)));
  const tiles = line.stations.map(buildTile);
  list.append(...tiles.map((t) => t.tile));
  band.append(head, list);
  return { band, shift, takt, dial, dialText, taktMain, taktPlan, figures, suspects, tiles, key: "" };
}

function figure(label, big, small, classes = "") {
  const box = make("div", "figure " + classes);
  const value = make("dd");
  value.append(make("strong", "", big), make("small", "", small));
  box.append(make("dt", "", label), value);
  return box;
}

function fillFigures(band, line) {
  const key = JSON.stringify([line.targets, line.suspects]);
  if (band.key === key) return;
  band.key = key;
  band.figures.replaceChildren(...line.targets.flatMap((t) => [
    figure("Today", String(t.today), t.today_needed === null ? "" : " of " + one(t.today_needed)),
    figure(line.targets.length > 1 ? t.title + " " + t.year : "Year " + t.year, String(t.done), " of " + t.units),
    figure("Due by now", one(t.due), ""),
    figure(t.days || "Target", t.word, "", "lead " + t.standing),
  ]));
  band.suspects.replaceChildren();
  if (line.suspects.length) {
    const list = make("ol");
    list.append(...line.suspects.map((s) => {
      const item = make("li");
      item.append(make("span", "", s.probability + " %"), make("span", "", s.number + " " + s.title));
      return item;
    }));
    band.suspects.append(make("h3", "", "Bottleneck, probably"), list);
  }
}

function fillTile(t, s) {
  const classes = "tile " + s.state + (s.late ? " late" : "");
  if (t.tile.className !== classes) t.tile.className = classes;
  draw(t.icon, s.state);
  put(t.word, s.word);
  put(t.since, s.since && "since " + s.since);
  put(t.model, s.product);
  put(t.unit, s.unit && (s.unit_inferred ? "≈ " : "") + s.unit);
  t.unit.title = s.unit_inferred ? "Inferred from the flow" : "";
  const chips = [];
  if (s.call) chips.push(["call", "CALL"]);
  if (s.alert && s.alert !== "info") chips.push([s.alert, s.alert === "critical" ? "!!" : "!"]);
  if (s.bottleneck !== null) chips.push(["neck", "bottleneck " + s.bottleneck + " %"]);
  const key = JSON.stringify(chips);
  if (t.chipKey !== key) {
    t.chipKey = key;
    t.chips.replaceChildren(...chips.map(([kind, text]) => make("span", "chip " + kind, text)));
  }
}

function tickTile(t, s, passed) {
  const running = s.elapsed_s !== null;
  t.bar.classList.toggle("empty", !running);
  t.bar.classList.toggle("no-plan", running && s.planned_s === null);
  if (!running) {
    put(t.elapsed, "");
    put(t.lateBy, "");
    t.inPlan.style.transform = "scaleX(0)";
    t.beyond.style.setProperty("--beyond", "0");
    t.bar.removeAttribute("aria-valuenow");
    return;
  }
  const elapsed = s.elapsed_s + (s.ticking ? passed : 0);
  if (s.planned_s === null) {
    put(t.elapsed, clock(elapsed) + " " + unitOf(elapsed) + ", no plan");
    t.inPlan.style.transform = "scaleX(0)";
    return;
  }
  const part = s.planned_s > 0 ? elapsed / s.planned_s : 1;
  const scale = Math.max(elapsed, s.planned_s);
  put(t.elapsed, clock(elapsed, scale) + " / " + clock(s.planned_s, scale) + " " + unitOf(scale));
  const over = elapsed - s.planned_s;
  put(t.lateBy, over > 0 ? "LATE +" + clock(over) + " " + unitOf(over) : "");
  t.tile.classList.toggle("late", over > 0);
  t.inPlan.style.transform = "scaleX(" + Math.min(1, part).toFixed(4) + ")";
  t.beyond.style.setProperty("--beyond", Math.min(1, Math.max(0, (part - 1) * 2)).toFixed(4));
  t.bar.setAttribute("aria-valuenow", String(Math.min(150, Math.round(part * 100))));
  t.bar.setAttribute("aria-valuetext", Math.round(part * 100) + " % of plan" + (over > 0 ? ", late" : ""));
}

function tickTakt(band, takt, passed) {
  if (takt.elapsed_s === null) {
    put(band.dialText, "–");
    put(band.taktMain, "no unit out yet");
  } else {
    const elapsed = takt.elapsed_s + passed;
    const late = takt.required_s !== null && elapsed > takt.required_s;
    band.takt.classList.toggle("late", late);
    band.dial.style.setProperty("--p", takt.required_s ? Math.min(1, elapsed / takt.required_s).toFixed(4) : "0");
    put(band.dialText, clock(elapsed));
    const rest = takt.required_s === null ? 0 : Math.abs(takt.required_s - elapsed);
    put(band.taktMain, takt.required_s === null ? "" : clock(rest) + " " + unitOf(rest) + (late ? " over takt" : " left"));
  }
  put(band.taktPlan, takt.required_s === null ? "no takt required" : "takt " + clock(takt.required_s) + " " + unitOf(takt.required_s));
}

function tick() {
  const silent = performance.now() - heard;
  if (page === null || silent > QUIET_MS) return stale(silent);
  page.lines.forEach((line, i) => {
    const passed = (line.rate * silent) / 1000;
    tickTakt(bands[i], line.takt, passed);
    line.stations.forEach((s, j) => tickTile(bands[i].tiles[j], s, passed));
  });
}

// --- lists ------------------------------------------------------------------------------------------------

function fill(list, rows, build, none = "") {
  const key = JSON.stringify(rows);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...(rows.length || !none ? rows.map(build) : [make("li", "none", none)]));
}

function flagRow(flag) {
  const item = make("li", "flag " + flag.severity);
  const line = make("div", "line");
  const head = make("span");
  head.append(make("b", "", flag.word), document.createTextNode(flag.where && " · " + flag.where));
  line.append(head, make("span", "", flag.since));
  item.append(make("span", "mark"), line, make("div", "text", flag.text));
  return item;
}

function closedRow(flag) {
  const item = make("li");
  item.append(make("span", "", flag.text), make("span", "", flag.since));
  return item;
}

function pairRow(left, right, below, standing, belowRight) {
  const item = make("li");
  const upper = make("div", "pair");
  upper.append(make("b", "", left), make("b", standing, right));
  const lower = make("div", "pair soft");
  lower.append(make("span", "", below), make("span", "", belowRight));
  item.append(upper, lower);
  return item;
}

function linkRow(link) {
  const item = make("div", "banner");
  item.append(shape("unobserved"), make("span", "", "Link down: " + link.name));
  const notes = [link.lines.length ? link.lines.join(", ") + " can't be seen" : "", link.since && "since " + link.since, link.reason];
  item.append(make("small", "", notes.filter(Boolean).join(" · ")));
  return item;
}

function countPills(flags) {
  const words = { critical: "critical", warning: "warning", info: "info" };
  const pills = Object.keys(words).map((severity) => [severity, flags.filter((f) => f.severity === severity).length]);
  const shown = pills.filter(([, count]) => count).map(([severity, count]) => make("span", "pill " + severity, count + " " + words[severity]));
  return shown.length ? shown : [make("span", "pill good", "no open flags")];
}

// On a wall screen nobody scrolls: what doesn't fit is counted instead.
function fit() {
  const list = byId("flags");
  const more = byId("flags-more");
  const items = [...list.children];
  items.forEach((item) => { item.hidden = false; });
  more.hidden = true;
  let hidden = 0;
  for (const item of items.slice(1).reverse()) {
    if (list.scrollHeight <= list.clientHeight + 1) break;
    item.hidden = true;
    more.hidden = false;
    hidden += 1;
    put(more, "and " + hidden + " more");
  }
}

// --- the page ---------------------------------------------------------------------------------------------

function show(next) {
  page = next;
  heard = performance.now();
  const nextOutline = JSON.stringify(page.lines.map((line) => [line.title, line.stations.map((s) => s.title)]));
  if (outline !== nextOutline) {
    outline = nextOutline;
    bands = page.lines.map(buildBand);
    byId("lines").replaceChildren(...bands.map((b) => b.band));
    document.title = page.area + " – line board";
  }
  put(byId("area"), page.area);
  put(byId("site"), page.site + (page.speed === 1 ? "" : " · " + page.speed.toLocaleString("en") + " × real time"));
  put(byId("date"), page.date);
  put(byId("time"), page.time);
  page.lines.forEach((line, i) => {
    put(bands[i].shift, line.shift);
    fillFigures(bands[i], line);
    line.stations.forEach((s, j) => fillTile(bands[i].tiles[j], s));
  });
  if (byId("flags").dataset.key !== JSON.stringify(page.flags)) byId("counts").replaceChildren(...countPills(page.flags));
  fill(byId("links"), page.links, linkRow);
  fill(byId("flags"), page.flags, flagRow, "No open flags");
  fill(byId("closed"), page.closed, closedRow);
  byId("closed-box").hidden = page.closed.length === 0;
  fill(byId("commitments"), page.commitments, (c) =>
    pairRow(c.title, c.margin, c.done + " of " + c.units + " " + c.family, c.standing, "due " + c.due), "No open commitments");
  fill(byId("kits"), page.kits, (k) =>
    pairRow(k.title, "low", k.stock + " here" + (k.arriving ? ", " + k.arriving + " coming" : ""), "bad", k.needed + " needed next day"),
    "Enough for the next working day");
  fill(byId("trouble"), page.trouble, (text) => make("li", "", text));
  put(byId("gateway"), page.gateway);
  document.body.classList.toggle("smooth", page.speed > 10);
  document.body.classList.remove("is-stale");
  byId("stale").hidden = true;
  fit();
  tick();
}

function stale(silent) {
  byId("stale").hidden = false;
  document.body.classList.add("is-stale");
  put(byId("stale"), page === null ? "Waiting for the gateway" : "STALE: nothing heard from the gateway for " + Math.round(silent / 1000) + " s");
}

function listen() {
  const events = new EventSource("/events");
  events.onmessage = (message) => show(JSON.parse(message.data));
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

function keepTicking() {
  tick();
  setTimeout(keepTicking, page && page.speed > 10 ? 100 : 1000);
}

addEventListener("resize", fit);
listen();
setTimeout(keepTicking, QUIET_MS / 4);
