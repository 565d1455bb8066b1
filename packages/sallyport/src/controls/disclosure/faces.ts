// How `disclosure` is described and proved.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Finding, Observation, Probe, Section } from '../../guard/control.ts'
import { headerValues } from '../faces.ts'
import { parseDateTime } from './expiry.ts'
import { bountyWords, escapeHtml, hoursWords } from './page.ts'
import { fieldsOf, parseSecurityTxt, type SecurityTxt, valuesOf } from './security-txt.ts'
import {
  ACKNOWLEDGE_HOURS,
  contactsOf,
  type DisclosureSetting,
  FIX_HOURS,
  LEGACY_PATH,
  PGP_KEY_PATH,
  POLICY_PAGE_PATH,
  POSTURE_JSON_PATH,
  POSTURE_PATH,
  type PolicyPageSetting,
  SECURITY_TXT_PATH,
  type SecurityTxtSetting,
} from './setting.ts'

type Cells = readonly Resolved<DisclosureSetting>[]

export function describeDisclosure(cells: Cells): Section {
  const { setting } = cells.at(-2)!
  const { securityTxt, pgpKey, policyPage } = setting
  const entries: Entry[] = []
  const say = (name: string, value: string, why: string) => entries.push({ name, value, why, cells: [] })
  if (contactsOf(setting).length > 0)
    say(
      'Report to',
      contactsOf(setting).join(', '),
      'Not in a public issue: others would read it before the fix.',
    )
  if (securityTxt)
    say(
      'security.txt',
      `${SECURITY_TXT_PATH}${securityTxt.signed === undefined ? '' : ', signed'}, valid until ${securityTxt.expires}`,
      'Reporters and their tools look there first (RFC 9116).',
    )
  if (pgpKey) say('OpenPGP key', PGP_KEY_PATH, 'A report can be read by us alone.')
  if (policyPage) {
    say('Disclosure policy', POLICY_PAGE_PATH, 'A reporter knows the rules before testing.')
    for (const [name, value] of promisesOf(policyPage))
      say(name, value, 'A promise that can be held against us.')
  }
  const hasContact = entries.length > 0
  if (setting.posture)
    say(
      'Posture page',
      setting.posture === 'public'
        ? `${POSTURE_PATH}, as data at ${POSTURE_JSON_PATH}; parts for reviewers by a signed link`
        : 'for holders of a signed link',
      'What holds can be read where it holds, and is made from the policy that runs.',
    )
  const limits = [
    ...(!hasContact ? ['No way to report a vulnerability is declared.'] : []),
    ...(securityTxt && securityTxt.signed !== undefined
      ? ['The signature of security.txt is not checked here, only that the signed text says the same.']
      : []),
  ]
  return { control: 'disclosure', id: 'SP-DISCLOSURE-01', title: 'Vulnerability disclosure', entries, limits }
}

function promisesOf(page: PolicyPageSetting): readonly (readonly [name: string, value: string])[] {
  return [
    ['Acknowledgement', `within ${hoursWords(page.acknowledgeHours ?? ACKNOWLEDGE_HOURS)}`],
    ['Fix', `within ${hoursWords(page.fixHours ?? FIX_HOURS)}`],
    ...(page.bounty ? [['Reward', bountyWords(page.bounty)] as const] : []),
    ...(page.credit === false ? [] : [['Credit', 'by name, if the reporter wishes'] as const]),
  ]
}

/**
 * What a live server must show.
 *
 * @param clock milliseconds since the epoch; Expires is judged by it
 */
export function probeDisclosure(cells: Cells, clock: () => number = Date.now): readonly Probe[] {
  const { cell, setting } = cells.at(-2)!
  if (setting.mode === 'off') return []
  const { securityTxt, pgpKey, policyPage, posture } = setting
  const probe = (name: string, title: string, path: string, expect: Probe['expect']): Probe => ({
    id: `disclosure/${name}`,
    title,
    cell: cell.id,
    request: { method: 'GET', path, headers: [] },
    expect,
  })
  return [
    ...(posture
      ? [
          probe(
            'posture',
            posture === 'public' ? 'the posture page is there' : 'the posture page needs a signed link',
            POSTURE_JSON_PATH,
            (seen) => judgePosture(posture, seen),
          ),
        ]
      : []),
    ...(securityTxt
      ? [
          probe('security-txt', 'security.txt names a contact and is valid', SECURITY_TXT_PATH, (seen) =>
            judgeFile(setting, securityTxt, seen, clock()),
          ),
          probe('legacy-path', 'the old place leads to security.txt', LEGACY_PATH, judgeLegacy),
        ]
      : []),
    ...(pgpKey
      ? [probe('pgp-key', 'the key for reports is there', PGP_KEY_PATH, (seen) => judgeKey(pgpKey, seen))]
      : []),
    ...(policyPage
      ? [
          probe('policy-page', 'the disclosure policy says what is promised', POLICY_PAGE_PATH, (seen) =>
            judgePage(policyPage, seen),
          ),
        ]
      : []),
  ]
}

function judgePosture(audience: 'public' | 'reviewer', seen: Observation): readonly Finding[] {
  const shown = seen.status === 200 && seen.body.includes('"sallyport-posture/1"')
  if (shown === (audience === 'public')) return []
  return [
    {
      id: 'drift.posture',
      detail: `${POSTURE_JSON_PATH} got ${seen.status}`,
      mend:
        audience === 'public'
          ? `serve ${POSTURE_JSON_PATH} from this policy`
          : 'let only signed links read the page',
    },
  ]
}

function judgeFile(
  setting: DisclosureSetting,
  file: SecurityTxtSetting,
  seen: Observation,
  now: number,
): readonly Finding[] {
  if (seen.status !== 200)
    return [
      { id: 'securitytxt.missing', detail: `status ${seen.status}`, mend: `serve ${SECURITY_TXT_PATH}` },
    ]
  const findings: Finding[] = []
  const type = headerValues(seen, 'content-type').join(', ')
  if (!/^text\/plain *; *charset="?utf-8"?$/i.test(type))
    findings.push({
      id: 'securitytxt.content-type',
      detail: type || 'no Content-Type',
      mend: 'Content-Type: text/plain; charset=utf-8',
    })
  const read = parseSecurityTxt(seen.body)
  if (valuesOf(read, 'Contact').length === 0)
    findings.push({
      id: 'securitytxt.no-contact',
      detail: 'no Contact line',
      mend: `Contact: ${file.contact?.[0] ?? 'mailto:security@example.com'}`,
    })
  const expires = valuesOf(read, 'Expires')
  const time = expires.length === 1 ? parseDateTime(expires[0]!) : undefined
  if (time === undefined)
    findings.push({
      id: 'securitytxt.no-expires',
      detail: expires.length === 0 ? 'no Expires line' : `Expires: ${expires.join(', ')}`,
      mend: `Expires: ${file.expires}`,
    })
  else if (time <= now)
    findings.push({ id: 'securitytxt.expired', detail: expires[0]!, mend: 'Expires: a date within a year' })
  const listed = valuesOf(read, 'Canonical')
  const absent = (file.canonical ?? []).find((url) => !listed.includes(url))
  if (absent !== undefined)
    findings.push({
      id: 'securitytxt.canonical',
      detail: listed.join(', ') || 'no Canonical line',
      mend: `Canonical: ${absent}`,
    })
  return [...findings, ...judgeFields(fieldsOf(setting, file), read)]
}

const FIELD_IDS = {
  Contact: 'securitytxt.no-contact',
  Encryption: 'disclosure.key',
  Policy: 'disclosure.policy-differs',
} as const

// A report that goes to another address, or under another key, is read by somebody else.
function judgeFields(declared: SecurityTxt['fields'], read: SecurityTxt): readonly Finding[] {
  return Object.entries(FIELD_IDS).flatMap(([name, id]) => {
    const wanted = declared.flatMap(([key, value]) => (key === name ? [value] : []))
    const found = valuesOf(read, name)
    const absent = wanted.find((value) => !found.includes(value))
    const foreign = found.find((value) => !wanted.includes(value))
    if (absent === undefined && foreign === undefined) return []
    if (name === 'Contact' && found.length === 0) return []
    return [
      {
        id,
        detail: foreign === undefined ? `no line ${name}: ${absent}` : `${name}: ${foreign} is not declared`,
        mend: absent === undefined ? `remove the line ${name}: ${foreign}` : `${name}: ${absent}`,
      },
    ]
  })
}

function judgeLegacy(seen: Observation): readonly Finding[] {
  const location = headerValues(seen, 'location').join(', ')
  if (seen.status >= 300 && seen.status < 400 && location.endsWith(SECURITY_TXT_PATH)) return []
  return [
    {
      id: location === '' ? 'drift.header-missing' : 'drift.header-value',
      detail: `status ${seen.status}, Location: ${location || 'missing'}`,
      mend: `Location: ${SECURITY_TXT_PATH}`,
    },
  ]
}

function judgeKey(key: string, seen: Observation): readonly Finding[] {
  const same = seen.status === 200 && seen.body.trim() === key.trim()
  return same
    ? []
    : [
        {
          id: 'disclosure.key',
          detail: `status ${seen.status}, another text than the policy’s key`,
          mend: `serve ${PGP_KEY_PATH}`,
        },
      ]
}

function judgePage(page: PolicyPageSetting, seen: Observation): readonly Finding[] {
  if (seen.status !== 200)
    return [
      { id: 'disclosure.policy-missing', detail: `status ${seen.status}`, mend: `serve ${POLICY_PAGE_PATH}` },
    ]
  return promisesOf(page)
    .filter(([name, value]) => name !== 'Credit' && !seen.body.includes(escapeHtml(value)))
    .map(([name, value]) => ({
      id: 'disclosure.policy-differs',
      detail: `the page does not say: ${name} ${value}`,
      mend: `say on the page: ${name} ${value}`,
    }))
}
