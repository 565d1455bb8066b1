// The posture as one HTML file that needs nothing else: no script, no font, no image.

import { escapeHtml as text } from '../../controls/disclosure/page.ts'
import type { Entry } from '../../guard/control.ts'
import type { Posture, PostureSection } from './model.ts'
import { STYLE } from './style.ts'
import { isLeftOut, leadWords, modeWords, scopeOf, shortDigest, verificationWords } from './words.ts'

/** The whole page. */
export function postureHtml(posture: Posture): string {
  const parts = [
    overview(posture),
    ...posture.sections.map((section) => controlPart(section)),
    omissions(posture),
    ...(posture.acceptedWeaknesses ? [weaknesses(posture.acceptedWeaknesses)] : []),
    proof(posture),
    standards(posture),
    register(posture),
    ...(posture.changes ? [changes(posture.changes)] : []),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(posture.name)}: security posture</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>${text(posture.name)}: security posture</h1>
<p class="lead">${text(leadWords(posture))}</p>
${facts(posture)}
<nav aria-label="Contents"><ol>
${parts.map(({ id, title }) => `<li><a href="#${id}">${text(title)}</a></li>`).join('\n')}
</ol></nav>
</header>
<main id="main">
${parts.map(({ id, title, body }) => `<section aria-labelledby="${id}">\n<h2 id="${id}">${text(title)}</h2>\n${body}\n</section>`).join('\n')}
</main>
<footer>
<p>Made by Sallyport from the policy with the digest <code>${text(posture.policyDigest)}</code>. The same as data: <a href="/.well-known/api-posture.json">api-posture.json</a>.</p>
</footer>
</body>
</html>
`
}

interface Part {
  readonly id: string
  readonly title: string
  readonly body: string
}

function facts(posture: Posture): string {
  const rows: [string, string][] = [
    ...(posture.version === undefined
      ? []
      : [['Version of the policy', text(posture.version)] as [string, string]]),
    ['Digest of the policy', `<code>${text(posture.policyDigest)}</code>`],
    ['Written', time(posture.generatedAt)],
    ['Last verification', text(verificationWords(posture))],
    [
      'Enforced',
      posture.place === 'gateway' ? 'by a gateway before the API' : 'inside the API’s own process',
    ],
    ['For', posture.audience === 'public' ? 'everybody' : 'reviewers'],
  ]
  return `<dl class="facts">\n${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('\n')}\n</dl>`
}

function time(at: string): string {
  return `<time datetime="${text(at)}">${text(at.replace('T', ' ').replace(/\.\d+Z$|Z$/, ' UTC'))}</time>`
}

function overview({ cells }: Posture): Part {
  const rows = cells.map((cell) => [
    head(
      `<code>${text(cell.id)}</code>${cell.meaning === '' ? '' : `<br><span class="meta">${text(cell.meaning)}</span>`}`,
    ),
    text(cell.data),
    text(cell.credentials),
    `<code>${text(cell.cacheControl)}</code>`,
  ])
  return {
    id: 'routes',
    title: 'Routes, data and caching',
    body: table(
      'Each request is judged by the most specific route that covers it.',
      ['Route', 'Data', 'Credentials', 'Cache-Control'],
      rows,
      [28, 12, 14, 46],
    ),
  }
}

function controlPart(section: PostureSection): Part {
  const entries = section.entries.filter((entry) => !isLeftOut(entry))
  const body = [
    `<p class="meta">${text(section.id)} · since ${text(section.since)} · ${modes(section)}</p>`,
    ...(section.notObservable === undefined
      ? []
      : [`<p>Not observable from outside: ${text(section.notObservable)}</p>`]),
    entries.length === 0 ? '<p>Nothing is declared.</p>' : entryTable(entries),
    ...(section.limits.length === 0
      ? []
      : [
          `<h3>What this does not do</h3>\n<ul class="limits">\n${section.limits.map((limit) => `<li>${text(limit)}</li>`).join('\n')}\n</ul>`,
        ]),
  ]
  return { id: section.control, title: section.title, body: body.join('\n') }
}

function modes({ modes: found }: PostureSection): string {
  return found
    .map((each) => `<span class="${each.mode === 'enforce' ? 'on' : 'off'}">${text(modeWords(each))}</span>`)
    .join(', ')
}

function entryTable(entries: readonly Entry[]): string {
  const rows = entries.map((entry) => [
    head(text(entry.name)),
    `<code>${text(entry.value)}</code>`,
    text(entry.why),
    text(scopeOf(entry)),
  ])
  return table('What is declared, and why.', ['What', 'Value', 'Why', 'Where'], rows, [20, 30, 32, 18])
}

function omissions({ sections }: Posture): Part {
  const rows = sections
    .flatMap(({ entries }) => entries.filter(isLeftOut))
    .map((entry) => [head(`<code>${text(entry.name)}</code>`), text(entry.why), text(scopeOf(entry))])
  return {
    id: 'not-sent',
    title: 'What we don’t set',
    body:
      rows.length === 0
        ? '<p>Nothing is left out on purpose, and nothing is removed.</p>'
        : table(
            'Left out on purpose; an application’s or upstream’s own is removed.',
            ['Header', 'Why not', 'Where'],
            rows,
            [32, 48, 20],
          ),
  }
}

function weaknesses(accepted: NonNullable<Posture['acceptedWeaknesses']>): Part {
  const rows = accepted.map((each) => [
    head(text(each.what)),
    text(each.reason),
    text(each.owner),
    text(each.expires),
    `<code>${text(each.fingerprint)}</code>`,
  ])
  return {
    id: 'accepted',
    title: 'Accepted weaknesses',
    body:
      rows.length === 0
        ? '<p>None.</p>'
        : table(
            'Each is accepted until its date, by its owner.',
            ['What', 'Reason', 'Owner', 'Until', 'Fingerprint'],
            rows,
            [34, 28, 14, 12, 12],
          ),
  }
}

function proof({ commands }: Posture): Part {
  const items = commands.map(
    ({ command, shows }) =>
      `<li>${shows.map(({ claim }) => text(claim)).join('; ')}\n<pre tabindex="0"><code>${text(command)}</code></pre></li>`,
  )
  return {
    id: 'verify',
    title: 'Verify it yourself',
    body: `<p>Each command shows what is said before it. <code>sallyport verify</code> sends them all, compares by meaning and ends with a result.</p>\n<ol>\n${items.join('\n')}\n</ol>`,
  }
}

function standards({ standards: rows }: Posture): Part {
  return {
    id: 'standards',
    title: 'Standards',
    body: table(
      'Each control supports these requirements; whether they are met depends on more than an API.',
      ['Framework', 'Control', 'Supports'],
      rows.map((row) => [head(text(row.framework)), text(row.control), text(row.requirements.join(', '))]),
      [26, 30, 44],
    ),
  }
}

function register({ sections }: Posture): Part {
  return {
    id: 'register',
    title: 'Register of controls',
    body: table(
      'Ids are stable: a control keeps its own for ever.',
      ['Id', 'Control', 'Status', 'Since'],
      sections.map((section) => [
        head(`<code>${text(section.id)}</code>`),
        text(section.title),
        modes(section),
        text(section.since),
      ]),
      [26, 38, 24, 12],
    ),
  }
}

function changes(log: NonNullable<Posture['changes']>): Part {
  const rows = log.map((change) => [
    head(time(change.at)),
    text(change.verdict),
    change.changes.map(text).join('<br>'),
    `<code>${text(shortDigest(change.to))}</code>`,
  ])
  return {
    id: 'changes',
    title: 'Changes',
    body:
      rows.length === 0
        ? '<p>None is recorded.</p>'
        : table(
            'Made from the differences between policies.',
            ['When', 'Verdict', 'What', 'Policy'],
            rows,
            [18, 14, 50, 18],
          ),
  }
}

const ROW_HEAD = '\u0000'

// The first cell of a row names it (WCAG 2.2, 1.3.1).
function head(html: string): string {
  return ROW_HEAD + html
}

/** @param widths percent of each column */
function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): string {
  const cell = (html: string) =>
    html.startsWith(ROW_HEAD) ? `<th scope="row">${html.slice(1)}</th>` : `<td>${html}</td>`
  return `<table>
<caption>${text(caption)}</caption>
<colgroup>${widths.map((width) => `<col class="w${width}">`).join('')}</colgroup>
<thead><tr>${columns.map((column) => `<th scope="col">${column}</th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}
</tbody>
</table>`
}
