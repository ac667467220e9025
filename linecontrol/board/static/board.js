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
  const standing = make("div", "standing");
  standing.append(name, takt, figures);
  const forecasts = make("div", "forecasts");
  const verdict = make("div", "verdict");
  head.append(standing, forecasts, verdict);
  const advice = make("dl", "advice");
  const list = make("ol", "stations");
  list.style.setProperty("--columns", String(Math.ceil(line.stations.length / 2)));
  const tiles = line.stations.map(buildTile);
  list.append(...tiles.map((t) => t.tile));
  band.append(head, advice, list);
  return { band, shift, takt, dial, dialText, taktMain, taktPlan, figures, forecasts, verdict, advice, tiles, keys: {} };
}

function figure(label, big, small, classes = "", below = "") {
  const box = make("div", "figure " + classes);
  const value = make("dd");
  value.append(make("strong", "", big), make("small", "", small));
  box.append(make("dt", "", label), value);
  if (below) box.append(make("dd", "below", below));
  return box;
}

// Builds a part of a band anew, only if what it shows has changed.
function renew(band, part, value, build) {
  const key = JSON.stringify(value);
  if (band.keys[part] === key) return;
  band.keys[part] = key;
  band[part].replaceChildren(...build(value));
}

function lineFigures(t) {
  return [
    figure("Today", String(t.today), t.today_needed === null ? "" : " of " + one(t.today_needed)),
    figure("Year " + t.year, String(t.done), " of " + t.units),
    figure(one(t.due) + " due by now", t.word, "", "lead " + t.standing, t.days),
  ];
}

// Where a line has several targets, each of them has room for one figure.
function familyFigure(t) {
  return [figure(t.title + ", " + t.today + " today", String(t.done), " of " + t.units, "family " + t.standing, t.word)];
}

function fillHead(band, line) {
  renew(band, "figures", line.targets, (targets) => targets.flatMap(targets.length > 1 ? familyFigure : lineFigures));
  band.forecasts.classList.toggle("several", line.forecasts.length > 1);
  renew(band, "forecasts", line.forecasts, (forecasts) =>
    forecasts.length ? forecasts.map((f) => forecastBox(f, forecasts.length > 1)) : [emptyForecast()]);
  renew(band, "verdict", line.verdict, verdictParts);
  renew(band, "advice", [line.lag, line.release], ([lag, release]) => [...lagParts(lag), ...releaseParts(release)]);
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
  if (s.bottleneck !== null) chips.push(["neck", s.bottleneck + " %", "bottleneck "]);
  const key = JSON.stringify(chips);
  if (t.chipKey !== key) {
    t.chipKey = key;
    t.chips.replaceChildren(...chips.map(([kind, text, word]) => chip(kind, text, word)));
  }
}

// A chip; its word is read out, and shown where the tile is wide enough.
function chip(kind, text, word) {
  const element = make("span", "chip " + kind);
  if (word) element.append(make("span", "word", word));
  element.append(text);
  return element;
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

// --- verdict and forecast ---------------------------------------------------------------------------------

function verdictParts(verdict) {
  const head = make("h3", "", "Bottleneck");
  if (verdict === null) return [head, make("p", "none", "No verdict yet: it comes with the first units")];
  if (verdict.provisional) head.append(make("span", "chip provisional", "provisional"));
  head.append(make("span", "evidence", verdict.evidence));
  const parts = [head, make("p", "sentence", verdict.sentence)];
  if (verdict.suspects.length) parts.push(suspectTable(verdict.suspects));
  const small = [];
  if (verdict.outside) small.push("Waits from outside: " + verdict.outside);
  for (const o of verdict.opinions) small.push(o.method + ": " + o.stations + (o.reason ? " (" + o.reason + ")" : ""));
  small.push(...verdict.notes);
  const list = make("ul", "small");
  list.append(...small.map((text) => make("li", "", text)));
  list.title = small.join("\n");
  if (small.length) parts.push(list);
  return parts;
}

function cell(tag, classes, ...parts) {
  const element = make(tag, classes);
  element.append(...parts);
  return element;
}

function suspectTable(suspects) {
  const table = make("table", "suspects");
  table.setAttribute("aria-label", "Stations that may hold the line back");
  const gains = suspects.some((s) => s.gain);
  const head = make("tr");
  head.append(make("th", "", "probably"), make("th", "", "station"));
  if (gains) head.append(make("th", "gain", "10 % faster gives, a year"));
  table.append(head);
  for (const s of suspects) {
    const row = make("tr");
    const meter = make("span", "meter");
    meter.style.setProperty("--p", String(s.probability / 100));
    const station = cell("th", "station", make("span", "soft", s.number + " "), s.title);
    station.scope = "row";
    row.append(cell("td", "chance", meter, make("span", "number", s.probability + " %")), station);
    if (gains) row.append(cell("td", "gain", make("b", "", s.gain ? s.gain + " units" : "–"), make("span", "soft", s.gain_range && " (" + s.gain_range + ")")));
    table.append(row);
  }
  return table;
}

function emptyForecast() {
  const box = make("div", "forecast");
  box.append(make("h3", "", "Forecast"), make("p", "none", "No forecast yet: it comes with the first units"), make("div", "fan empty"));
  return box;
}

function forecastBox(forecast, named) {
  const box = make("div", "forecast");
  const head = make("h3", "", named ? forecast.title : "Forecast");
  head.append(make("span", "evidence", forecast.certainty));
  const sentence = make("p", "sentence", forecast.outcome + "; ");
  sentence.append(make("span", forecast.standing, forecast.chance));
  box.append(head, sentence);
  if (forecast.alarm) box.append(make("p", "alarm", forecast.alarm));
  box.append(fan(forecast));
  return box;
}

// Drawn on a square of 1000 by 1000 that is stretched to where it is shown; texts and the dot lie over it.
function fan(forecast) {
  const { bottom, top, target, done, unseen, steps, ticks } = forecast.fan;
  const px = (x) => (1000 * x).toFixed(1);
  const py = (units) => (1000 * (1 - (units - bottom) / (top - bottom))).toFixed(1);
  const line = (points) => "M" + points.map(([x, units]) => px(x) + " " + py(units)).join("L");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 1000 1000");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = (classes, d) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
    element.setAttribute("class", classes);
    element.setAttribute("d", d);
    svg.append(element);
  };
  for (const [x] of ticks) path("tick", "M" + px(x) + " 0V1000");
  if (steps.length > 1) {
    path("spread", line([...steps.map(([x, low]) => [x, low]), ...steps.map(([x, , , high]) => [x, high]).reverse()]) + "Z");
    path("likely", line(steps.map(([x, , likely]) => [x, likely])));
  }
  path("target " + forecast.standing, line([[0, target], [1, target]]));
  if (unseen.length) path("unseen", line(unseen));
  if (done.length) path("done", line(done));
  path("now", "M" + px(steps[0][0]) + " " + py(steps[0][2]) + "h.01");
  const box = make("div", "fan");
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", "Units over time: " + Math.round(steps[0][2]) + " now; " + forecast.outcome + " at the year's end; target " + target);
  const plot = make("div", "plot");
  plot.append(svg);
  for (const [x, text] of ticks) plot.append(label("tick", text, x, null));
  const end = steps[steps.length - 1];
  for (const [classes, units, at] of apart([["target", target, target], ["likely", end[2], end[2]]], (top - bottom) * 0.17))
    plot.append(label(classes, String(Math.round(units)), null, (at - bottom) / (top - bottom)));
  box.append(plot);
  return box;
}

function label(classes, text, x, y) {
  const element = make("span", "label " + classes, text);
  if (x !== null) element.style.left = 100 * x + "%";
  if (y !== null) element.style.bottom = 100 * y + "%";
  return element;
}

// Moves two labels from each other until they are ``least`` units apart; none if they say the same.
function apart([a, b], least) {
  if (Math.round(a[1]) === Math.round(b[1])) return [a];
  const gap = least - Math.abs(a[2] - b[2]);
  if (gap <= 0) return [a, b];
  const push = (a[2] >= b[2] ? gap : -gap) / 2;
  return [[a[0], a[1], a[2] + push], [b[0], b[1], b[2] - push]];
}

function lagParts(lag) {
  const value = make("dd", lag === null ? "none" : "");
  if (lag === null) value.append("not explained yet");
  else {
    value.append(make("b", "", lag.sum));
    lag.causes.forEach(([where, units], i) => value.append((i ? " · " : ": ") + where + " ", make("b", "", units)));
    if (lag.stops) value.append(" · planned stops: " + lag.stops);
  }
  return [part("Lag", value)];
}

function releaseParts(release) {
  const value = make("dd", release === null ? "none" : "");
  if (release === null) value.append("nothing proposed");
  else value.append(make("span", "chip " + (release.go ? "go" : "hold"), release.word),
    make("b", "", " " + release.products.join(" → ")), " · " + release.content + (release.reason && " · " + release.reason));
  return [part("Next", value)];
}

function part(name, value) {
  const box = make("div");
  box.append(make("dt", "", name), value);
  value.title = value.textContent;
  return box;
}

// --- lists ------------------------------------------------------------------------------------------------

function fill(list, rows, build, none = "") {
  const key = JSON.stringify(rows);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...(rows.length || !none ? rows.map(build) : [make("li", "none", none)]));
}

// As fill, but rows that stay the same stay what they are: nothing is read aloud twice, and the focus is kept.
function fillFlags(list, rows, none = "") {
  const key = JSON.stringify(rows);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const focused = list.contains(document.activeElement) ? document.activeElement.closest("li").dataset.flag : null;
  const known = new Map([...list.children].map((item) => [item.dataset.row, item]));
  let next = list.firstChild;
  for (const row of rows) {
    const text = JSON.stringify(row);
    const item = known.get(text) || flagRow(row, text);
    known.delete(text);
    if (item === next) next = next.nextSibling;
    else list.insertBefore(item, next);
  }
  for (const item of known.values()) item.remove();
  if (!rows.length && none) list.append(make("li", "none", none));
  if (focused !== null && !list.contains(document.activeElement)) focusFlag(focused);
}

function focusFlag(flag) {
  const item = [...document.querySelectorAll("li.flag")].find((each) => each.dataset.flag === flag);
  const button = item && item.querySelector("button");
  if (button && button.offsetParent !== null) button.focus();
  else byId("sign").focus();
}

function flagRow(flag, text) {
  const item = make("li", "flag " + flag.severity);
  item.dataset.row = text;
  item.dataset.flag = flag.flag;
  const line = make("div", "line");
  const head = make("span");
  const word = make("b", "", flag.word);
  if (flag.letter) word.title = "ISA-18.2 state " + flag.letter;
  head.append(word, document.createTextNode(flag.where && " · " + flag.where));
  line.append(head, make("span", "", flag.since));
  item.append(make("span", "mark"), line, make("div", "text", flag.text));
  if (flag.why) item.append(make("div", "why", flag.why));
  if (flag.verbs.length) {
    const act = make("button", "act", "Act");
    act.type = "button";
    act.setAttribute("aria-haspopup", "dialog");
    act.setAttribute("aria-label", "Act on: " + flag.text);
    act.addEventListener("click", () => openAct(flag));
    item.append(act);
  }
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
function fit(name) {
  const list = byId(name);
  const more = byId(name + "-more");
  const items = [...list.children];
  items.forEach((item) => { item.hidden = false; });
  more.hidden = true;
  if (document.body.classList.contains("signed-in") && name === "flags") return; // who acts on flags scrolls
  let hidden = 0;
  for (const item of items.slice(1).reverse()) {
    if (list.scrollHeight <= list.clientHeight + 1) break;
    item.hidden = true;
    more.hidden = false;
    hidden += 1;
    put(more, "and " + hidden + " more");
  }
}

function fitAll() {
  fit("commitments");
  fit("flags");
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
    fillHead(bands[i], line);
    line.stations.forEach((s, j) => fillTile(bands[i].tiles[j], s));
  });
  if (byId("flags").dataset.key !== JSON.stringify(page.flags)) byId("counts").replaceChildren(...countPills(page.flags));
  fill(byId("links"), page.links, linkRow);
  fillFlags(byId("flags"), page.flags, "No open flags");
  fillFlags(byId("aside"), page.aside);
  put(byId("flag-figures"), page.flag_figures);
  byId("aside-box").hidden = page.aside.length === 0;
  put(byId("aside-count"), page.aside.length + " put aside or suppressed");
  fill(byId("closed"), page.closed, closedRow);
  byId("closed-box").hidden = page.closed.length === 0;
  fill(byId("commitments"), page.commitments, (c) =>
    pairRow(c.title, c.margin, c.done + " of " + c.units + " " + c.family + " by " + c.due, c.standing, c.finish), "No open commitments");
  fill(byId("kits"), page.kits, (k) =>
    pairRow(k.title, [k.low ? "low" : "", k.runs_out && "runs out " + k.runs_out].filter(Boolean).join(", "),
      k.stock + " here" + (k.arriving ? ", " + k.arriving + " coming" : ""), k.low ? "bad" : "tight",
      k.low ? k.needed + " needed next day" : k.short ? k.short + " short this year" : ""), page.kits_well);
  fill(byId("trouble"), page.trouble, (text) => make("li", "", text));
  put(byId("gateway"), page.gateway);
  document.body.classList.toggle("smooth", page.speed > 10);
  document.body.classList.remove("is-stale");
  byId("stale").hidden = true;
  fitAll();
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

addEventListener("resize", fitAll);
listen();
setTimeout(keepTicking, QUIET_MS / 4);
