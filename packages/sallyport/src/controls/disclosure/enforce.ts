// Serves the pages: all are made at start, and only GET and HEAD of their exact paths are answered here.

import type { Answer, Stage } from '../../guard/control.ts'
import { lines } from '../../guard/lines.ts'
import { policyPageBody } from './page.ts'
import { securityTxtBody } from './security-txt.ts'
import {
  type DisclosureSetting,
  LEGACY_PATH,
  PGP_KEY_PATH,
  POLICY_PAGE_PATH,
  SECURITY_TXT_PATH,
} from './setting.ts'

// RFC 9116, section 3.
const TEXT = lines([['Content-Type', 'text/plain; charset=utf-8']])
const HTML = lines([['Content-Type', 'text/html; charset=utf-8']])
const MOVED = lines([['Location', SECURITY_TXT_PATH]])

/** The pages by path. */
export function pagesOf(setting: DisclosureSetting): ReadonlyMap<string, Answer> {
  const pages = new Map<string, Answer>()
  const { securityTxt, pgpKey, policyPage } = setting
  if (securityTxt) {
    const body = securityTxtBody(setting, securityTxt)
    pages.set(SECURITY_TXT_PATH, { kind: 'answer', status: 200, headers: TEXT, body })
    pages.set(LEGACY_PATH, { kind: 'answer', status: 301, headers: MOVED, body: '' })
  }
  if (pgpKey)
    pages.set(PGP_KEY_PATH, { kind: 'answer', status: 200, headers: TEXT, body: `${pgpKey.trim()}\n` })
  if (policyPage)
    pages.set(POLICY_PAGE_PATH, {
      kind: 'answer',
      status: 200,
      headers: HTML,
      body: policyPageBody(setting, policyPage),
    })
  return pages
}

export function compileDisclosure(setting: DisclosureSetting): Stage {
  const pages = pagesOf(setting)
  if (pages.size === 0) return {}
  return {
    admit({ path, incoming }) {
      if (!path.startsWith('/.well-known/') && path !== LEGACY_PATH) return undefined
      return incoming.method === 'GET' || incoming.method === 'HEAD' ? pages.get(path) : undefined
    },
  }
}
