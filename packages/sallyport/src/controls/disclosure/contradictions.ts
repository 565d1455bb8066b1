// What is contradictory in `disclosure`: RFC 9116's rules that a form can't hold, and a signed text that says
// something else.

import { childPath, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { parseDateTime } from './expiry.ts'
import { fieldsOf, parseSecurityTxt, valuesOf } from './security-txt.ts'
import {
  ACKNOWLEDGE_HOURS,
  contactsOf,
  type DisclosureSetting,
  FIX_HOURS,
  type PolicyPageSetting,
  SECURITY_TXT_PATH,
  type SecurityTxtSetting,
} from './setting.ts'

export function disclosureContradictions(setting: DisclosureSetting): readonly PolicyProblem[] {
  const { securityTxt, policyPage } = setting
  return [
    ...(securityTxt ? fileProblems(setting, securityTxt) : []),
    ...(policyPage ? pageProblems(setting, policyPage) : []),
  ]
}

function fileProblems(setting: DisclosureSetting, file: SecurityTxtSetting): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const missing = (field: string, example: string) =>
    problems.push(
      problem(
        'securityTxt',
        'missing',
        `${field} is missing (RFC 9116, section 2.5)`,
        undefined,
        `add ${example}`,
      ),
    )
  if ((file.contact ?? []).length === 0) missing('contact', 'contact: ["mailto:security@example.com"]')
  if (file.expires === undefined) missing('expires', 'expires: "2027-01-31T00:00:00Z"')
  else if (parseDateTime(file.expires) === undefined)
    problems.push(
      problem(
        'securityTxt.expires',
        'value',
        'is not a date and time of RFC 3339',
        file.expires,
        'write one such as "2027-01-31T00:00:00Z"',
      ),
    )
  for (const key of [
    'contact',
    'encryption',
    'acknowledgments',
    'canonical',
    'policy',
    'hiring',
    'csaf',
  ] as const)
    problems.push(...uriProblems(file[key] ?? [], `securityTxt.${key}`))
  ;(file.canonical ?? []).forEach((url, index) => {
    if (URL.canParse(url) && new URL(url).pathname !== SECURITY_TXT_PATH)
      problems.push(
        problem(
          childPath('securityTxt.canonical', index),
          'value',
          `does not end in ${SECURITY_TXT_PATH}, where the file stands`,
          url,
          `write "${new URL(url).origin}${SECURITY_TXT_PATH}"`,
        ),
      )
  })
  const unlinked = [
    ...(setting.policyPage && file.policy === undefined ? ['policy'] : []),
    ...(setting.pgpKey && file.encryption === undefined ? ['encryption'] : []),
  ]
  if (unlinked.length > 0 && (file.canonical ?? []).length === 0)
    problems.push(
      problem(
        'securityTxt.canonical',
        'missing',
        `without it the file cannot name the full URL of its ${unlinked.join(' and ')}`,
        undefined,
        `add canonical: ["https://api.example.com${SECURITY_TXT_PATH}"]`,
      ),
    )
  if (file.signed !== undefined) problems.push(...signedProblems(setting, file, file.signed))
  return problems
}

function uriProblems(values: readonly string[], path: string): readonly PolicyProblem[] {
  return values.flatMap((value, index) => {
    const fault = uriFault(value)
    return fault ? [problem(childPath(path, index), 'value', fault.message, value, fault.mend)] : []
  })
}

function uriFault(value: string): { message: string; mend: string } | undefined {
  if (value.startsWith('https:')) {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (!url) return { message: 'is not a URL', mend: 'write one such as "https://example.com/security"' }
    if (url.username !== '' || url.password !== '')
      return { message: 'holds a user name or a password', mend: 'leave what stands before the @ out' }
    return undefined
  }
  // RFC 6068, section 2.
  if (value.startsWith('mailto:') && !/^mailto:[^@?,]+@[^@?,]+(?:\?.*)?$/.test(value))
    return { message: 'is not one mail address', mend: 'write one such as "mailto:security@example.com"' }
  // RFC 3966, section 3: a global number, or a local one with its context.
  if (
    value.startsWith('tel:') &&
    !/^tel:(?:\+[0-9().-]{3,}|[0-9().-]{3,};phone-context=.+)(?:;.*)?$/.test(value)
  )
    return {
      message: 'is not a telephone number with its country',
      mend: 'write one such as "tel:+1-201-555-0123"',
    }
  if (value.startsWith('openpgp4fpr:') && !/^openpgp4fpr:(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/.test(value))
    return {
      message: 'is not a fingerprint of 40 or 64 hexadecimal digits',
      mend: 'write the whole fingerprint',
    }
  return undefined
}

function signedProblems(
  setting: DisclosureSetting,
  file: SecurityTxtSetting,
  signed: string,
): readonly PolicyProblem[] {
  const path = 'securityTxt.signed'
  const read = parseSecurityTxt(signed)
  if (!read.signed)
    return [
      problem(
        path,
        'value',
        'is not an OpenPGP clear-signed text',
        undefined,
        'paste the output of gpg --clear-sign',
      ),
    ]
  const problems: PolicyProblem[] = []
  const again = 'sign the file again, or change the setting'
  if ((file.canonical ?? []).length === 0)
    problems.push(
      problem(
        'securityTxt.canonical',
        'missing',
        'a signed file can be copied to another site unless it names its own URL',
        undefined,
        `add canonical: ["https://api.example.com${SECURITY_TXT_PATH}"], and sign it`,
      ),
    )
  // RFC 9116, sections 2.5.5 and 2.5.8: these two stand once.
  for (const name of ['Expires', 'Preferred-Languages'])
    if (valuesOf(read, name).length > 1)
      problems.push(problem(path, 'value', `holds ${name} more than once`, undefined, again))
  const wanted = fieldsOf(setting, file)
  for (const name of new Set(wanted.map(([field]) => field))) {
    const own = wanted.filter(([field]) => field === name).map(([, value]) => value)
    const found = valuesOf(read, name)
    if (found.length === 0)
      problems.push(
        problem(path, 'contradiction', `lacks the field ${name}: ${own.join(', ')}`, undefined, again),
      )
    else if (own.join('\n') !== found.join('\n'))
      problems.push(
        problem(
          path,
          'contradiction',
          `says ${name}: ${found.join(', ')}, the setting ${own.join(', ')}`,
          undefined,
          again,
        ),
      )
  }
  return problems
}

function pageProblems(setting: DisclosureSetting, page: PolicyPageSetting): readonly PolicyProblem[] {
  const problems = [...uriProblems(page.contact ?? [], 'policyPage.contact')]
  if (contactsOf(setting).length === 0)
    problems.push(
      problem(
        'policyPage',
        'missing',
        'there is no address to report to',
        undefined,
        'add contact: ["mailto:security@example.com"], or securityTxt with one',
      ),
    )
  const acknowledge = page.acknowledgeHours ?? ACKNOWLEDGE_HOURS
  const fix = page.fixHours ?? FIX_HOURS
  if (fix < acknowledge)
    problems.push(
      problem(
        'policyPage.fixHours',
        'contradiction',
        `is shorter than the ${acknowledge} hours until a report is acknowledged`,
        fix,
        'write a longer time, or a shorter acknowledgeHours',
      ),
    )
  const { bounty } = page
  if (bounty) {
    for (const key of ['currency', 'min', 'max'] as const)
      if (bounty[key] === undefined)
        problems.push(
          problem(
            'policyPage.bounty',
            'missing',
            `${key} is missing`,
            bounty,
            'write { currency: "EUR", min: 100, max: 5000 }',
          ),
        )
    if (bounty.min !== undefined && bounty.max !== undefined && bounty.min > bounty.max)
      problems.push(
        problem(
          'policyPage.bounty',
          'contradiction',
          'the least reward is higher than the most',
          bounty,
          `write min: ${bounty.max}, max: ${bounty.min}`,
        ),
      )
  }
  return problems
}
