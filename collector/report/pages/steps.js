// Steps through a schedule.  Position k is the state after record k; record 0 is the start.
// The fragment says where to begin: #12, or #12&theme=dark, with the step's number as traces have it.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps;
const last = steps.length - 1;
const $ = (id) => document.getElementById(id);
const HISTORY = 14;
const BEFORE = { list: "on ", cache: "in ", hands: "" }; // ... the name of a place
let now = 0;

function make(tag, name, ...inside) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...inside);
  return made;
}
const thread = (t) => (t < 0 ? "" : data.threads[t]);
const colour = (t) => `var(--t${((t % 6) + 6) % 6})`;

// Buffers and other nodes that some list or cache ever holds are nouns: they show their history.
const nouns = new Set(steps.flatMap((step) => Object.values(step.places).flatMap((place) => place.nodes)));

function noun(name, kind) {
  const made = make("span", kind, name);
  made.dataset.noun = name;
  if (kind === "chip") made.tabIndex = 0;
  return made;
}
// `text` with the nouns marked in it that `act` names: whole words, as `x` is none in `xadd x`.
function marked(text, act) {
  const parts = [];
  let rest = text;
  const named = act.nouns.filter((n) => nouns.has(n)).sort((a, b) => b.length - a.length);
  const word = (c) => c !== undefined && /\w/.test(c);
  for (let i = 0; i < rest.length; ) {
    const name = named.find((n) => rest.startsWith(n, i) && !word(rest[i - 1]) && !word(rest[i + n.length]));
    if (!name) i++;
    else {
      parts.push(rest.slice(0, i), noun(name, "noun"));
      rest = rest.slice(i + name.length);
      i = 0;
    }
  }
  return [...parts, rest];
}

// Plain accesses are told only if they race, or if they were asked for.
const told = (note) => !note.plain || note.racing;
const toldNow = (note) => told(note) || $("plain").checked;

// The schedule.
const rows = [];
function site(step) {
  return step.source.length ? data.sites[step.source[0]] : null;
}
function buildTrace() {
  const trace = $("trace");
  trace.style.setProperty("--threads", data.threads.length);
  const heads = make("div", "heads", make("span", "quiet", "step"));
  data.threads.forEach((name, t) => {
    const head = make("span", "tag", name);
    head.style.setProperty("--thread", colour(t));
    heads.append(head);
  });
  trace.append(heads);
  steps.forEach((step, i) => {
    const row = make("div", "row" + (step.switch && i > 1 ? " switch" : ""));
    if (step.circle && !steps[i - 1].circle) trace.append(make("p", "forever", "And from here on, for ever:"));
    const does = make("div", "does");
    does.style.gridColumn = step.thread < 0 ? `2 / span ${data.threads.length}` : step.thread + 2;
    does.style.setProperty("--thread", step.thread < 0 ? "transparent" : colour(step.thread));
    const lanes = data.threads.map((_, t) => {
      const lane = make("span", "lane");
      lane.style.gridColumn = t + 2;
      lane.style.setProperty("--thread", colour(t));
      return lane;
    });
    const text = make("span", "mono", ...marked(step.text, step));
    does.append(make("span", "who tag", thread(step.thread)), text);
    const from = site(step);
    if (from) {
      const code = ((data.code[from.file] || {})[from.line] || "").trim();
      does.append(make("span", "line", `${from.file.split("/").pop()}:${from.line}  ${code}`));
    }
    for (const note of step.notes.filter(told)) does.append(make("span", "note", ...marked(note.words, note)));
    if (i === last && data.fault) {
      row.classList.add("fault");
      does.append(make("span", "fails", `${data.fault.kind}: ${data.fault.message}`));
    }
    const at = make(step.at < 0 ? "span" : "a", "at", step.at < 0 ? "" : String(step.at));
    if (step.at >= 0) {
      at.href = `#${step.at}`;
      at.title = `link to step ${step.at}`;
    }
    row.append(at, ...lanes, does);
    row.addEventListener("click", (event) => event.target.dataset.noun || go(i));
    rows.push(row);
    trace.append(row);
  });
}

// What it has come to.
function showWords(step) {
  const who = make("strong", "tag", thread(step.thread) + " ");
  who.style.setProperty("--thread", colour(step.thread));
  $("words").replaceChildren(...(step.at < 0 ? [] : [who]), ...marked(step.words + ".", step));
  const notes = step.notes.filter(toldNow);
  const items = notes.map((note) => make("li", "", ...marked(`${thread(note.thread)} ${note.words}`, note)));
  if (step === steps[last] && data.fault) items.push(make("li", "fails", `That is the failure: ${data.fault.message}`));
  $("notes").replaceChildren(...items);
}
function showLists(step) {
  $("liststate").hidden = !data.lists.length;
  const lists = data.lists.filter((name) => name in step.views).map((name) => {
    const place = step.places[name];
    const cells = !place ? [make("span", "chip plainview", step.views[name])] : place.nodes.flatMap((n, i) => [
      ...(i && place.kind === "list" ? [make("span", "quiet", "→")] : []),
      noun(n, "chip"),
    ]);
    const changed = now > 0 && step.views[name] !== steps[now - 1].views[name];
    const drawn = make("div", "chain", ...(cells.length ? cells : [make("span", "quiet", "nothing")]));
    return make("div", "list" + (changed ? " changed" : ""), make("span", "", name), drawn);
  });
  $("lists").replaceChildren(...lists);
}
function showThreads() {
  const going = steps[now + 1] ? steps[now + 1].thread : -1;
  $("threads").replaceChildren(...data.threads.flatMap((name, t) => {
    const theirs = (step, i) => step.thread === t && (i > now || step.circle);
    const next = steps.find((step, i) => i > now && theirs(step, i)) || steps.find(theirs);
    const who = make("span", "tag", name);
    who.style.setProperty("--thread", colour(t));
    const what = next ? make("span", "mono", ...marked(next.text, next)) : make("span", "quiet", "nothing more");
    return [who, make("span", "", make("span", t === going ? "goes" : "", what))];
  }));
}
function showSource(step) {
  const from = site(step);
  if (!from) {
    $("source").replaceChildren(make("p", "quiet", step.at < 0 ? "No step yet." : "This step is the machine's own."));
    return;
  }
  const code = make("pre");
  const lines = data.code[from.file] || {};
  const shown = [];
  for (let n = from.line - 4; n <= from.line + 4; n++) if (n in lines) shown.push(n);
  const indent = Math.min(...shown.filter((n) => lines[n]).map((n) => lines[n].search(/\S/)));
  for (const n of shown) {
    code.append(make("span", n === from.line ? "here" : "", make("i", "", String(n)), lines[n].slice(indent) || " "));
  }
  const callers = step.source.slice(1).map((n) => data.sites[n]);
  const called = callers.map((s) => make("li", "", `from ${s.function}, ${s.file}:${s.line}`));
  const head = make("p", "", make("strong", "mono", from.function), make("span", "quiet", `  ${from.file}:${from.line}`));
  $("source").replaceChildren(head, code, make("ol", "", ...called));
}
function showCells() {
  const values = new Map();
  for (let i = 0; i <= now; i++) {
    for (const act of [steps[i], ...steps[i].notes]) {
      if (!act.cell || act.call || !(act.wrote || act.saw)) continue;
      values.delete(act.cell.name); // so that what was touched last comes last
      values.set(act.cell.name, [act, i]);
    }
  }
  const cells = [...values].reverse().slice(0, 16).flatMap(([cell, [act, i]]) => {
    const fresh = i === now ? "fresh" : "";
    return [make("span", fresh, ...marked(cell, act)), make("span", fresh, ...marked((act.wrote || act.saw).text, act))];
  });
  $("cells").replaceChildren(...(cells.length ? cells : [make("span", "quiet", "none yet")]));
}

// Going about.
function go(i) {
  now = Math.min(Math.max(i, 0), last);
  const step = steps[now];
  $("slider").value = now;
  $("where").textContent = now ? `step ${step.at} of ${steps[last].at}` : "the start";
  rows.forEach((row, n) => {
    row.classList.toggle("now", n === now);
    row.classList.toggle("later", n > now);
  });
  showWords(step);
  showLists(step);
  showThreads();
  showOthers(steps[now + 1]);
  showSource(step);
  showCells();
  $("failed").hidden = now < last || !data.fault || !data.fault.details.includes("\n");
  hideTip();
  const trace = $("trace");
  const row = rows[now];
  trace.scrollTop = row.offsetTop - (trace.clientHeight - row.offsetHeight) / 2;
  const words = [step.at < 0 ? "" : String(step.at), chosen ? `theme=${chosen}` : ""].filter(Boolean);
  history.replaceState(null, "", `#${words.join("&")}`);
}
const nextSwitch = () => steps.findIndex((step, i) => i > now && i > 1 && step.switch);
const previousSwitch = () => steps.findLastIndex((step, i) => i < now && i > 1 && step.switch);
const acts = {
  home: () => go(0),
  back: () => go(now - 1),
  forth: () => go(now + 1),
  end: () => go(last),
  next: () => go(nextSwitch() < 0 ? last : nextSwitch()),
  previous: () => go(previousSwitch() < 0 ? 0 : previousSwitch()),
  violation: () => data.fault && go(last),
};
const keys = {
  ArrowRight: "forth", ArrowDown: "forth", ArrowLeft: "back", ArrowUp: "back",
  Home: "home", End: "end", n: "next", p: "previous", v: "violation",
};
for (const [id, act] of Object.entries(acts)) $(id).addEventListener("click", act);
$("violation").hidden = !data.fault;
if (data.fault) $("failed").querySelector("pre").textContent = data.fault.details;
$("slider").max = last;
$("slider").addEventListener("input", () => go(Number($("slider").value)));
$("plain").addEventListener("change", () => go(now));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") hideTip();
  else if (event.key in keys) {
    event.preventDefault(); // the slider and the panes have ideas of their own about arrows
    acts[keys[event.key]]();
  }
});

// A node's history, up to where we are.
function hideTip() {
  $("tip").hidden = true;
}
function showTip(at) {
  const name = at.dataset.noun;
  const found = [];
  for (let i = 0; i <= now; i++) {
    const step = steps[i];
    if (step.nouns.includes(name)) found.push([step.at, step.thread, step.words]);
    for (const note of step.notes) {
      if (note.nouns.includes(name) && toldNow(note)) found.push([step.at, note.thread, note.words]);
    }
  }
  const items = found.slice(-HISTORY).map(([n, t, words]) => {
    const who = make("span", "tag", thread(t));
    who.style.setProperty("--thread", colour(t));
    return make("li", "", make("span", "quiet", `${n < 0 ? "" : n}  `), who, ` ${words}`);
  });
  const where = Object.entries(steps[now].places).filter(([, place]) => place.nodes.includes(name));
  const place = where.map(([list, { kind }]) => BEFORE[kind] + list).join(" and ");
  const more = found.length > HISTORY ? `the last ${HISTORY} of ${found.length}` : "so far";
  $("tip").replaceChildren(
    make("div", "", make("strong", "mono", name), ` is ${place || "on no list drawn here"}`),
    make("div", "quiet", found.length ? `Its history, ${more}:` : "No step has touched it yet."),
    make("ol", "", ...items),
  );
  $("tip").hidden = false;
  const box = at.getBoundingClientRect();
  const tip = $("tip").getBoundingClientRect();
  const below = box.bottom + 6 + tip.height < innerHeight;
  $("tip").style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.width - 8))}px`;
  $("tip").style.top = `${below ? box.bottom + 6 : Math.max(8, box.top - tip.height - 6)}px`;
}
for (const event of ["mouseover", "focusin", "click"]) {
  document.addEventListener(event, (happened) => {
    const at = happened.target.closest?.("[data-noun]");
    if (at) showTip(at);
    else if (event !== "focusin" && !happened.target.closest?.("#tip")) hideTip();
  });
}

$("about").textContent = [
  data.scenario && `${data.scenario} ${data.variant}`,
  `${last} steps`,
  data.threads.join(", "),
].filter(Boolean).join(" · ");
$("verdict").textContent = data.fault ? `${data.fault.kind}: ${data.fault.message}` : "nothing failed";
$("verdict").classList.add(data.fault ? "bad" : "good");
buildTrace();
function goThere() {
  const asked = /^#(?:step=)?(\d+)/.exec(location.hash);
  const found = asked ? steps.findIndex((step) => step.at >= Number(asked[1])) : 0;
  go(found < 0 ? last : found);
}
window.addEventListener("hashchange", goThere);
goThere();
