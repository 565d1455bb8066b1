// The disclosure policy as a page: plain HTML without styles or scripts, since it is served under a policy that
// allows neither, and everything that the setting says escaped.

import {
  ACKNOWLEDGE_HOURS,
  type BountySetting,
  contactsOf,
  type DisclosureSetting,
  FIX_HOURS,
  PGP_KEY_PATH,
  type PolicyPageSetting,
} from './setting.ts'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** The text for elements and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]!)
}

/** `EUR 100 to EUR 5,000` */
export function bountyWords({ currency, min, max }: BountySetting): string {
  const amount = (value = 0) => `${currency} ${value.toLocaleString('en-US')}`
  return min === max ? amount(min) : `${amount(min)} to ${amount(max)}`
}

/** `24 hours` */
export function hoursWords(hours: number): string {
  return hours === 1 ? '1 hour' : `${hours} hours`
}

/** The page. */
export function policyPageBody(setting: DisclosureSetting, page: PolicyPageSetting): string {
  const sections = [
    section('Report a vulnerability', [
      list(contactsOf(setting).map(contactLink)),
      ...(setting.pgpKey
        ? [`<p>Encrypt your report with <a href="${PGP_KEY_PATH}">our OpenPGP key</a>.</p>`]
        : []),
      '<p>Please do not open a public issue, and do not publish the vulnerability before it is fixed. Tell us what you found, how it can be repeated and what it allows.</p>',
    ]),
    section('What we promise', [list(promises(page))]),
    ...(page.scope?.length ? [section('In scope', [list(page.scope.map(escapeHtml))])] : []),
    ...(page.outOfScope?.length ? [section('Out of scope', [list(page.outOfScope.map(escapeHtml))])] : []),
    ...(page.safeHarbour ? [section('Safe harbour', paragraphs(page.safeHarbour))] : []),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vulnerability disclosure policy</title>
</head>
<body>
<main>
<h1>Vulnerability disclosure policy</h1>
${sections.join('\n')}
</main>
</body>
</html>
`
}

function promises(page: PolicyPageSetting): readonly string[] {
  const { bounty } = page
  return [
    `We acknowledge your report within ${hoursWords(page.acknowledgeHours ?? ACKNOWLEDGE_HOURS)}.`,
    `We fix a confirmed vulnerability within ${hoursWords(page.fixHours ?? FIX_HOURS)}.`,
    ...(bounty ? [`We pay a reward of ${bountyWords(bounty)} for a valid report, by its severity.`] : []),
    ...(page.credit === false ? [] : ['We credit you by name in public, if you wish.']),
  ]
}

function section(title: string, parts: readonly string[]): string {
  const id = title.toLowerCase().replaceAll(' ', '-')
  return `<section aria-labelledby="${id}">\n<h2 id="${id}">${title}</h2>\n${parts.join('\n')}\n</section>`
}

function list(items: readonly string[]): string {
  return `<ul>\n${items.map((item) => `<li>${item}</li>`).join('\n')}\n</ul>`
}

// The schemes are those that the schema lets in, so no address is a script.
function contactLink(uri: string): string {
  const shown = uri.replace(/^(?:mailto|tel):/, '')
  return `<a href="${escapeHtml(uri)}">${escapeHtml(shown)}</a>`
}

function paragraphs(text: string): readonly string[] {
  return text
    .split(/\n[\t ]*\n/)
    .filter((part) => part.trim() !== '')
    .map((part) => `<p>${escapeHtml(part.trim())}</p>`)
}
