# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The look of the pages: colours of both schemes, and sizes that suit a phone too."""

STYLE = """
:root{color-scheme:light dark;--back:#f6f7f8;--card:#fff;--text:#1b1f23;--soft:#59636e;
--line:#d5dae0;
--main:#00695c;--band:#00695c33;--bad:#b3261e;--good:#1a6b2f}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--card:#1e2227;--text:#e6e9ec;
--soft:#a2abb5;
--line:#3a424b;--main:#4db6ac;--band:#4db6ac40;--bad:#ff8a80;--good:#7bd88f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
footer{padding-bottom:2rem;color:var(--soft);font-size:.875rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.125rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.5rem 0}
.lead,.note{color:var(--soft)}
.note{font-size:.875rem}
.bad{color:var(--bad);font-weight:600}
.good{color:var(--good);font-weight:600}
h1,p,td,th,dd,figcaption{overflow-wrap:anywhere}
code{font:.875em ui-monospace,monospace;unicode-bidi:isolate}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;
margin:1rem 0}
dl.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:.75rem;
margin:1rem 0}
dl.tiles div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;
padding:.625rem .75rem}
dl.tiles dt,dl.tiles .note{color:var(--soft);font-size:.875rem}
dl.tiles dd{margin:0}
dl.tiles .value{font-size:1.375rem;font-weight:600;line-height:1.3}
.wide{overflow-x:auto}
h2+.wide caption,summary+.wide caption{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%)}
summary{cursor:pointer;padding:.25rem 0}
table{border-collapse:collapse;font-size:.9375rem}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:.25rem}
th,td{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td:first-child{overflow-wrap:break-word}
td:not(.number){min-width:6rem;unicode-bidi:isolate}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));
gap:1rem}
figure{margin:0}
.pictures img{display:block;width:100%;height:auto;border-radius:.25rem}
figcaption{font-size:.875rem;color:var(--soft);margin-top:.25rem}
.chart{display:grid;grid-template-columns:3.75rem minmax(0,1fr);margin:.5rem 0 1rem}
.chart svg{display:block;width:100%;height:100%;overflow:visible}
.plot{height:9rem;border-left:1px solid var(--line);border-bottom:1px solid var(--line)}
.strip{height:1.5rem}
.strip rect{shape-rendering:crispEdges}
.ticks{display:flex;justify-content:space-between;font-size:.75rem;color:var(--soft);
font-variant-numeric:tabular-nums}
.ticks.y{flex-direction:column;align-items:flex-end;padding-right:.375rem;margin:-.5rem 0}
.ticks.x{grid-column:2;padding-top:.125rem}
.grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.curve{fill:none;stroke:var(--main);stroke-width:1.75;vector-effect:non-scaling-stroke;
stroke-linejoin:round;stroke-linecap:round}
.band{fill:var(--band)}
.bar{fill:var(--main)}
.loss{fill:var(--bad)}
.key{display:inline-block;width:.875rem;height:.875rem;border-radius:.125rem;
vertical-align:-.125rem;
border:1px solid var(--soft)}
@media print{section,dl.tiles div{break-inside:avoid}}
"""
