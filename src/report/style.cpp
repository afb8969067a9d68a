#include "style.hpp"

namespace lrid::report {

std::string_view style_sheet() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #faf9f6; --card: #ffffff; --ink: #1b2126; --soft: #59636b; --line: #dfddd6; --grid: #e9e7e1;
  --accent: #1d5169; --accent-soft: #b4c6ce; --bar: #6f9fb4; --bar-muted: #c3cdd1; --on-accent: #ffffff; --cell-back: #f1f0ec; --chance: #b4471b;
  --kind-0: #1d5169; --kind-1: #cf8f2e; --kind-2: #8fb3c4; --kind-3: #a3a7aa;
  --s0: #1f5fa8; --s1: #d1580b; --s2: #0b8a6a; --s3: #b0548f; --s4: #b08000; --s5: #4b9fd6; --s6: #5b4a9c; --s7: #6d6f75;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #13171a; --card: #1a1f23; --ink: #e7e5df; --soft: #a0a8ad; --line: #2d343a; --grid: #272e33;
    --accent: #79b4cb; --accent-soft: #3d5966; --bar: #467b93; --bar-muted: #37464e; --on-accent: #0d1a20; --cell-back: #20272c; --chance: #f0935f;
    --kind-0: #79b4cb; --kind-1: #e0ac55; --kind-2: #4d7183; --kind-3: #737a7f;
    --s0: #6fa8ea; --s1: #f28c4b; --s2: #3fc39c; --s3: #e08fc2; --s4: #e3b341; --s5: #93d2f7; --s6: #a99be6; --s7: #a9abb0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1096px; margin: 0 auto; padding: 40px 16px 64px; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Iowan Old Style", Georgia, "Noto Serif", "DejaVu Serif", serif;
  font-weight: 600; line-height: 1.2; letter-spacing: -0.01em; }
h1 { font-size: 2.1rem; margin: 0 0 8px; }
h2 { font-size: 1.5rem; margin: 56px 0 4px; padding-top: 20px; border-top: 2px solid var(--ink); overflow-wrap: anywhere; }
h3 { font-size: 1.06rem; font-weight: 650; margin: 0 0 14px; }
h4 { font-size: 0.84rem; font-weight: 600; margin: 0 0 2px; color: var(--soft); }
p { margin: 0 0 12px; max-width: 74ch; }
a { color: inherit; text-decoration-color: var(--accent-soft); text-underline-offset: 3px; }
a:hover { text-decoration-color: currentColor; }
.kicker { font-size: 0.78rem; letter-spacing: 0.09em; text-transform: uppercase; color: var(--soft); margin: 0 0 6px; }
.lead { font-size: 1.08rem; color: var(--soft); margin-bottom: 24px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 12px; margin: 0 0 28px; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tiles b { display: block; font-size: 1.7rem; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -0.02em; }
.tiles small { display: block; font-size: 0.84rem; line-height: 1.4; color: var(--soft); margin-top: 4px; }
.findings { margin: 0 0 20px; padding-left: 1.2em; max-width: 80ch; }
.findings li { margin-bottom: 6px; }
.notes { border-left: 3px solid var(--chance); padding: 8px 14px; margin: 18px 0; background: var(--card);
  border-radius: 0 8px 8px 0; font-size: 0.92rem; }
.notes p { margin: 0; font-weight: 600; }
.notes ul { margin: 4px 0 0; padding-left: 1.2em; }
.notes li { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 20px; margin: 14px 0 18px; font-size: 0.94rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 22px 0 0; padding: 20px 20px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
figcaption { font-size: 0.92rem; line-height: 1.5; color: var(--soft); margin-top: 14px; max-width: 84ch; }
figcaption b { color: var(--ink); font-weight: 600; }
.panels { display: flex; flex-wrap: wrap; gap: 18px 28px; }
.panel { flex: 0 0 auto; width: 320px; max-width: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 0 0 12px; padding: 0; font-size: 0.86rem; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend svg { flex: none; width: auto; height: 12px; }
.scroll { overflow-x: auto; }
.scroll + p { margin-top: 12px; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th { font-weight: 600; color: var(--soft); border-bottom-color: var(--soft); }
tbody tr:last-child td { border-bottom: 0; }
.n { text-align: right; padding: 6px 6px 6px 14px; white-space: nowrap; }
th.n { white-space: normal; overflow-wrap: anywhere; min-width: 5em; }
td:first-child { white-space: nowrap; }
.prose td { white-space: normal; min-width: 7em; }
nav ol { margin: 16px 0 0; padding-left: 1.4em; columns: 16em; font-size: 0.94rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
td small { display: block; color: var(--soft); font-size: 0.82em; }
details { margin: 12px 0 0; font-size: 0.94rem; }
summary { cursor: pointer; color: var(--soft); padding: 4px 0; }
summary:hover { color: var(--ink); }
pre { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-x: auto;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; margin: 8px 0 0; tab-size: 2; }
footer { margin-top: 48px; padding-top: 14px; border-top: 1px solid var(--line); font-size: 0.84rem; color: var(--soft); overflow-wrap: anywhere; }

svg { display: block; max-width: 100%; height: auto; overflow: visible; }
svg text { font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .small { font-size: 10.5px; fill: var(--soft); }
svg .detail { font-size: 10.5px; }
svg .tiny { font-size: 9px; }
svg .strong { font-weight: 600; }
svg .value { font-size: 12px; }
svg .chance-text { fill: var(--chance); }
svg text.on-cell { fill: var(--on-accent); }
.grid { stroke: var(--grid); stroke-width: 1; }
.chance { stroke: var(--chance); stroke-width: 1.5; }
.track { fill: var(--cell-back); }
.bar { fill: var(--bar); }
.bar-muted { fill: var(--bar-muted); }
.whisker { stroke: var(--ink); stroke-width: 1.3; }
.split { stroke: var(--soft); stroke-width: 1; }
.link { stroke: var(--accent-soft); stroke-width: 3; }
.dot { fill: var(--accent); stroke: var(--card); stroke-width: 1; }
.dot-hollow { fill: var(--card); stroke: var(--accent); stroke-width: 2; }
.cell { fill: var(--accent); }
.cell-back { fill: var(--cell-back); }
.kind-0 { fill: var(--kind-0); } .kind-1 { fill: var(--kind-1); } .kind-2 { fill: var(--kind-2); } .kind-3 { fill: var(--kind-3); }
.series-0 { color: var(--s0); } .series-1 { color: var(--s1); } .series-2 { color: var(--s2); } .series-3 { color: var(--s3); }
.series-4 { color: var(--s4); } .series-5 { color: var(--s5); } .series-6 { color: var(--s6); } .series-7 { color: var(--s7); }
.curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.point { fill: currentColor; }
.band { fill: currentColor; fill-opacity: 0.16; stroke: none; }
.dash-1 { stroke-dasharray: 7 4; } .dash-2 { stroke-dasharray: 1.5 4; } .dash-3 { stroke-dasharray: 9 4 1.5 4; }

@media (max-width: 520px) {
  main { padding: 24px 12px 40px; }
  h1 { font-size: 1.65rem; }
  figure { padding: 14px 10px 12px; }
  .panels { justify-content: center; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 8px; }
}
@media print {
  @page { size: landscape; margin: 12mm; }  /* three panels side by side, as on the screen */
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444c52; --line: #cccccc; --grid: #e4e4e4;
    --accent: #1d5169; --accent-soft: #b4c6ce; --bar: #6f9fb4; --bar-muted: #c3cdd1; --on-accent: #ffffff; --cell-back: #f3f3f3; --chance: #b4471b;
    --kind-0: #1d5169; --kind-1: #cf8f2e; --kind-2: #8fb3c4; --kind-3: #a3a7aa;
    --s0: #1f5fa8; --s1: #d1580b; --s2: #0b8a6a; --s3: #b0548f; --s4: #b08000; --s5: #4b9fd6; --s6: #5b4a9c; --s7: #6d6f75;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 9.5pt; line-height: 1.4; }
  p, .findings, figcaption { max-width: none; }
  figcaption { font-size: 8.5pt; margin-top: 8px; }
  h2 { margin-top: 28px; }
  h3 { margin-bottom: 8px; }
  th, td, .n { padding-top: 3px; padding-bottom: 3px; }
  main { max-width: none; padding: 0; }
  figure { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 8px 0 0; margin-top: 12px; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
  .scroll { overflow: visible; }
  .panels { gap: 12px 14px; }
  .panel { width: 310px; }
  .panel, .tiles li, .findings, .notes, dl, tr, figcaption { break-inside: avoid; }
  figure { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  a { text-decoration: none; }
  details:not([open]) { display: none; }
}
)css";
}

}  // namespace lrid::report
