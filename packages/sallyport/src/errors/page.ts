// The pages that the `type` of a problem leads to: one for each code, and the list of all. Plain HTML without styles
// or scripts, so that it reads the same under the strictest Content-Security-Policy.

import { type CatalogueEntry, catalogue, type ErrorCode } from './catalogue.ts'
import { PROBLEM_BASE } from './problem-document.ts'

/** Whether the same request may be sent again, in words. */
export const RETRY: Readonly<Record<CatalogueEntry['retry'], string>> = {
  no: 'No: the same request gets the same answer.',
  yes: 'Yes: the same request may be sent again, with growing pauses between the attempts.',
  'after-change': 'Not as it is: change the request first.',
  'after-delay': 'Yes, after the time that the Retry-After header names.',
}

/** True for a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code)
}

/** The page of one code. */
export function problemPage(code: ErrorCode): string {
  const { title, status, cause, mend, retry } = catalogue[code]
  const row = (name: string, value: string) => `<dt>${name}</dt><dd>${value}</dd>`
  return page(
    title,
    `<dl>${row('Code', `<code>${code}</code>`)}${row('Status', String(status))}${row('Cause', escaped(cause))}${row('What to do', escaped(mend))}${row('Safe to send again?', escaped(RETRY[retry]))}</dl><p><a href="${PROBLEM_BASE}">All problems</a></p>`,
  )
}

/** The list of all codes. */
export function problemIndex(): string {
  const rows = (Object.keys(catalogue) as ErrorCode[]).map(
    (code) =>
      `<tr><th scope="row"><a href="${PROBLEM_BASE}${code}">${code}</a></th><td>${catalogue[code].status}</td><td>${escaped(catalogue[code].title)}</td></tr>`,
  )
  return page(
    'Problems of this API',
    `<table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Title</th></tr></thead><tbody>${rows.join('')}</tbody></table>`,
  )
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${escaped(title)}</title></head><body><main><h1>${escaped(title)}</h1>${body}</main></body></html>\n`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}
