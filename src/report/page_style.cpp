// The style sheet of the page. Figures carry the colours of palette.hpp as attributes; the rules at the end turn them into variables, so
// that they follow the light or dark scheme of whoever reads.
#include "report/page.hpp"

namespace limrisk {

const char* const page_style = R"css(
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1a1a1a; --soft: #5a5a5a; --line: #d4d4d4; --shade: #f4f5f6; --bad: #b00020;
  --plot-ink: #000000; --plot-frame: #6b6b6b; --plot-grid: #dcdcdc; --plot-blue: #0072b2; --plot-vermillion: #d55e00; --plot-green: #009e73;
  --plot-sky: #56b4e9; --plot-orange: #e69f00; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --ink: #e6e6e6; --soft: #a6abb0; --line: #3b4147; --shade: #1e2226; --bad: #ff8a80;
    --plot-ink: #ececec; --plot-frame: #8a9097; --plot-grid: #30353a; --plot-blue: #7cc4f5; --plot-vermillion: #ff9352; --plot-green: #3fd6a8;
    --plot-sky: #2f6f9c; --plot-orange: #f2b632; }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { max-width: 76rem; margin: 0 auto; padding: 1rem clamp(0.75rem, 3vw, 2rem) 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; padding-top: 0.75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 0.5rem; overflow-wrap: anywhere; }
p, ul, dl { max-width: 48rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
.soft, figcaption .more, caption { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
a { color: inherit; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; max-width: none; }
code, pre { font-family: ui-monospace, "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: 0.875em; }
pre { background: var(--shade); padding: 0.75rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 0.75rem 0; }
summary { cursor: pointer; padding: 0.25rem 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 0.75rem 0; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0.25rem 0; }
th, td { text-align: right; padding: 0.2rem 0.4rem; white-space: nowrap; font-weight: normal; }
th.text, td.text { text-align: left; }
thead th { color: var(--soft); border-bottom: 1px solid var(--ink); vertical-align: bottom; white-space: normal; }
tr.group th { text-align: left; font-weight: 600; padding-top: 0.6rem; white-space: normal; }
tbody tr:not(.group):hover { background: var(--shade); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem 1.25rem; align-items: start; }
figure { margin: 0; break-inside: avoid; }
figcaption { font-size: 0.875rem; line-height: 1.35; overflow-wrap: anywhere; }
figcaption b { display: block; font-weight: 600; }
svg.plot { display: block; width: 100%; max-width: 34rem; height: auto; }
figure:only-child svg.plot { max-width: 44rem; }
svg.plot text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif; }
svg.plot [fill="#000000"] { fill: var(--plot-ink); }
svg.plot [stroke="#000000"] { stroke: var(--plot-ink); }
svg.plot [color="#000000"] { color: var(--plot-ink); }
svg.plot [color="#ffffff"] { color: var(--paper); }
svg.plot [fill="#6b6b6b"] { fill: var(--plot-frame); }
svg.plot [stroke="#6b6b6b"] { stroke: var(--plot-frame); }
svg.plot [stroke="#dcdcdc"] { stroke: var(--plot-grid); }
svg.plot [fill="#0072b2"] { fill: var(--plot-blue); }
svg.plot [stroke="#0072b2"] { stroke: var(--plot-blue); }
svg.plot [color="#0072b2"] { color: var(--plot-blue); }
svg.plot [fill="#d55e00"] { fill: var(--plot-vermillion); }
svg.plot [stroke="#d55e00"] { stroke: var(--plot-vermillion); }
svg.plot [color="#d55e00"] { color: var(--plot-vermillion); }
svg.plot [stroke="#009e73"] { stroke: var(--plot-green); }
svg.plot [fill="#56b4e9"] { fill: var(--plot-sky); }
svg.plot [stroke="#56b4e9"] { stroke: var(--plot-sky); }
svg.plot [stroke="#e69f00"] { stroke: var(--plot-orange); }
@media print {
  html { font-size: 10pt; }
  body { max-width: none; padding: 0; }
  nav { display: none; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  .wide { overflow: visible; }
  table { font-size: 7.5pt; }
  th, td { padding: 0.1rem 0.3rem; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
}
)css";

}  // namespace limrisk
