// The look of the page, as one text: it is inline, so the page is one file, and its digest is what the page's
// Content-Security-Policy allows. Colours keep a contrast of at least 4.5 to 1 in both schemes (WCAG 2.2, 1.4.3).

export const STYLE = `:root{color-scheme:light dark;--ink:#1b2430;--soft:#4d5968;--paper:#fff;--band:#f4f6f8;--line:#d5dbe2;--accent:#0b5394;--good:#1a6b33;--warn:#8a4b00}
@media (prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#a9b4c2;--paper:#12171e;--band:#1a212a;--line:#333d4a;--accent:#8ec2f5;--good:#7fd79b;--warn:#f0b86e}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
.skip{position:absolute;left:-100em}.skip:focus{left:1em;top:1em;background:var(--paper);padding:.5em 1em}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:3rem}h1{font-size:2.1rem;line-height:1.2;margin:0 0 .4rem}
h2{font-size:1.35rem;margin:2.6rem 0 .4rem;padding-top:.9rem;border-top:1px solid var(--line)}h3{font-size:1.05rem;margin:1.5rem 0 .3rem}
p{margin:.4rem 0 .8rem;max-width:48rem;overflow-wrap:anywhere}a{color:var(--accent)}
.lead{font-size:1.1rem;color:var(--soft)}
dl.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.5rem;margin:1.2rem 0}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
nav ol{columns:3 15rem;padding-left:1.4rem;margin:.6rem 0}
table{border-collapse:collapse;width:100%;margin:.6rem 0 1.2rem;table-layout:fixed}
caption{text-align:left;color:var(--soft);padding:.2rem 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .7rem .5rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-bottom:2px solid var(--line);color:var(--soft);font-weight:600}
tbody th{font-weight:600}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
pre{background:var(--band);padding:.7rem .9rem;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
.meta{color:var(--soft);font-size:.92rem;font-weight:400}.on{color:var(--good);font-weight:600}.off{color:var(--warn);font-weight:600}
.limits{border-left:3px solid var(--line);padding-left:1.6rem;margin:.4rem 0 1rem}.limits li{margin:.2rem 0}
footer{margin-top:3rem;padding-bottom:3rem;color:var(--soft);font-size:.92rem}
@media (max-width:44rem){table,tbody,tr,td,tbody th{display:block;width:100%}thead{position:absolute;left:-100em;top:0}tr{padding:.6rem 0;border-bottom:1px solid var(--line)}td,tbody th{border:0;padding:.1rem 0}dl.facts{grid-template-columns:minmax(0,1fr)}}
.w12{width:12%}.w14{width:14%}.w18{width:18%}.w20{width:20%}.w24{width:24%}.w26{width:26%}.w28{width:28%}.w30{width:30%}.w32{width:32%}.w34{width:34%}.w38{width:38%}.w44{width:44%}.w46{width:46%}.w48{width:48%}.w50{width:50%}
@page{size:A4;margin:16mm 14mm}
@media print{:root{--ink:#000;--soft:#333;--paper:#fff;--band:#f2f2f2;--line:#999;--accent:#000;--good:#000;--warn:#000}body{font-size:9.5pt}header{padding-top:0}nav,.skip{display:none}h2{break-after:avoid}h3,caption{break-after:avoid}tr,pre{break-inside:avoid}thead{display:table-header-group}header,main,footer{max-width:none;padding:0}a{text-decoration:none}}
`
