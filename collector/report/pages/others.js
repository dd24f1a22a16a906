// The threads that could go instead of the one that does, and where that leads: as its own schedule, run when the page
// was made.  `make`, `thread`, `colour` and `marked` are those of steps.js.
function showOthers(next) {
  const others = next ? next.others : [];
  $("instead").hidden = !steps.some((step) => step.others.length);
  $("others").replaceChildren(...(others.length ? others.map(other) : [make("p", "quiet", "Nobody: no other thread can go here.")]));
}
function other({ thread: t, text, lead }) {
  const who = make("span", "tag", thread(t));
  who.style.setProperty("--thread", colour(t));
  const does = [who, " ", make("span", "mono", text)];
  if (!lead) return make("p", "lead", ...does, make("span", "quiet", " (not followed on this page)"));
  const summary = make("summary", "", ...does, make("span", lead.failure ? "fails" : "quiet", lead.failure ? ` ${lead.failure}` : " ends well"));
  const rows = lead.steps.map(([by, said]) => {
    const tag = make("span", "tag", thread(by));
    tag.style.setProperty("--thread", colour(by));
    return make("li", "", tag, " ", make("span", "mono", said));
  });
  if (lead.more) rows.push(make("li", "quiet", `and ${lead.more} steps more`));
  const command = make("code", "command", lead.command);
  return make("details", "lead", summary, make("ol", "", ...rows), command);
}
