// How `disclosure` is compared: what a reporter can do, and what is promised to one.

import type { Change, Strength } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { bountyWords, hoursWords } from './page.ts'
import {
  ACKNOWLEDGE_HOURS,
  contactsOf,
  type DisclosureSetting,
  FIX_HOURS,
  type PolicyPageSetting,
} from './setting.ts'

export function compareDisclosure(had: DisclosureSetting, has: DisclosureSetting): readonly Change[] {
  const [before, after] = [inForce(had), inForce(has)]
  const changes: Change[] = [...compareModes(had, has)]
  const say = (strength: Strength, what: string, because: string) => changes.push({ strength, what, because })
  const presence = (what: string, a: unknown, b: unknown, gone: string, come: string) => {
    if (Boolean(a) !== Boolean(b)) say(b ? 'stronger' : 'weaker', what, b ? come : gone)
  }
  presence(
    'securityTxt',
    before.securityTxt,
    after.securityTxt,
    'a reporter’s tools no longer find whom to tell',
    'a reporter’s tools find whom to tell',
  )
  presence(
    'securityTxt.signed',
    signedText(before),
    signedText(after),
    'whoever can change the answer can change the contact',
    'a changed contact can be told by its signature',
  )
  presence(
    'pgpKey',
    before.pgpKey,
    after.pgpKey,
    'a report can be read on its way',
    'a report can be encrypted',
  )
  if (before.pgpKey && after.pgpKey && before.pgpKey !== after.pgpKey)
    say('incomparable', 'pgpKey', 'reports are encrypted to another key')
  presence(
    'policyPage',
    before.policyPage,
    after.policyPage,
    'a reporter no longer knows the rules before testing',
    'a reporter knows the rules before testing',
  )
  if ((before.posture || false) !== (after.posture || false))
    say(
      'neutral',
      'posture',
      after.posture
        ? `the posture page is published for ${after.posture === 'public' ? 'everybody' : 'reviewers'}`
        : 'the posture page is not published',
    )
  const lost = contactsOf(before).find((contact) => !contactsOf(after).includes(contact))
  const won = contactsOf(after).find((contact) => !contactsOf(before).includes(contact))
  if (lost !== undefined) say('weaker', 'contact', `a report to ${lost} is no longer asked for`)
  if (won !== undefined) say('stronger', 'contact', `a report can go to ${won}`)
  if (before.policyPage && after.policyPage) comparePages(before.policyPage, after.policyPage, say)
  const expires = (setting: DisclosureSetting) =>
    setting.securityTxt ? setting.securityTxt.expires : undefined
  if (before.securityTxt && after.securityTxt && expires(before) !== expires(after))
    say('neutral', 'securityTxt.expires', `the file is valid until ${expires(after)}`)
  return changes
}

// Pages are no judgement, so they are served in report mode as well.
function inForce(setting: DisclosureSetting): DisclosureSetting {
  return setting.mode === 'off' ? {} : setting
}

function signedText({ securityTxt }: DisclosureSetting): string | undefined {
  return securityTxt ? securityTxt.signed : undefined
}

type Say = (strength: Strength, what: string, because: string) => void

function comparePages(before: PolicyPageSetting, after: PolicyPageSetting, say: Say): void {
  const time = (key: 'acknowledgeHours' | 'fixHours', fallback: number, done: string) => {
    const [a, b] = [before[key] ?? fallback, after[key] ?? fallback]
    if (a !== b)
      say(
        b > a ? 'weaker' : 'stronger',
        `policyPage.${key}`,
        `a report may wait ${hoursWords(b)} until it is ${done}`,
      )
  }
  time('acknowledgeHours', ACKNOWLEDGE_HOURS, 'acknowledged')
  time('fixHours', FIX_HOURS, 'fixed')
  const set = (key: 'scope' | 'outOfScope', addedIs: Strength, removedIs: Strength) => {
    const [a, b] = [before[key] ?? [], after[key] ?? []]
    const added = b.find((entry) => !a.includes(entry))
    const removed = a.find((entry) => !b.includes(entry))
    if (added !== undefined) say(addedIs, `policyPage.${key}`, `now listed: ${added}`)
    if (removed !== undefined) say(removedIs, `policyPage.${key}`, `no longer listed: ${removed}`)
  }
  set('scope', 'stronger', 'weaker')
  set('outOfScope', 'weaker', 'stronger')
  if (before.safeHarbour !== after.safeHarbour)
    say(
      !after.safeHarbour ? 'weaker' : before.safeHarbour ? 'incomparable' : 'stronger',
      'policyPage.safeHarbour',
      after.safeHarbour
        ? 'the safe harbour has another text'
        : 'a reporter in good faith has no safe harbour',
    )
  // Money is the business of the one who pays; it decides no security property.
  const reward = (page: PolicyPageSetting) => (page.bounty ? bountyWords(page.bounty) : 'none')
  if (reward(before) !== reward(after))
    say('neutral', 'policyPage.bounty', `the reward is ${reward(after)}, it was ${reward(before)}`)
  if ((before.credit ?? true) !== (after.credit ?? true))
    say(
      'neutral',
      'policyPage.credit',
      after.credit === false ? 'reporters are no longer credited' : 'reporters are credited',
    )
}
