// How `keys` stands on the posture page.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Place, Section } from '../../guard/control.ts'
import { sameForAll } from '../faces.ts'
import { KEYS_PATH } from './self-service/paths.ts'
import { type FullKeysSetting, fullSelfService, fullSetting, type KeysSetting } from './setting.ts'

const TITLE = 'API keys'
const ID = 'SP-KEYS-01'

export function describeKeys(cells: readonly Resolved<KeysSetting>[], place: Place): Section {
  const active = cells.filter((resolved) => inForce(resolved) !== undefined)
  const [first] = active
  if (first === undefined)
    return {
      control: 'keys',
      id: ID,
      title: TITLE,
      entries: [
        {
          name: TITLE,
          value: 'left to the application',
          why: 'The policy reads no keys here: how they are kept, ended and limited is not known.',
          cells: [],
        },
      ],
      limits: [],
    }
  const { vendor, environment, header, overlapSeconds, expiresAfterDays, failuresPerMinute } = inForce(first)!
  const prefix = environment === 'test' ? `sk_${vendor}_test_` : `sk_${vendor}_live_`
  const { leakReports } = first.setting
  const entries: readonly Entry[] = [
    entry(
      'Form',
      `${prefix}…, 32 random digits of base 62 (190 bits) and a checksum of six`,
      'Nobody guesses one; scanners find one that leaked; most garbage is refused before anything is looked up.',
    ),
    entry(
      'Read from',
      `${header.map((name) => (name === 'authorization' ? 'Authorization: Bearer' : 'X-API-Key')).join(', ')}; never the URL`,
      'URLs are written to logs and histories: a key in one is refused with 400 and told as exposed.',
    ),
    entry(
      'Environments',
      environment === 'both' ? 'live and test' : environment,
      'A key of another environment is refused like an unknown one.',
    ),
    entry(
      'Kept',
      'as HMAC-SHA-256 of a SHA-256 digest, with a secret that is not in the database; never in plain text',
      'Whoever reads the database has no key, and whoever can write to it can make none. 190 random bits need no slow hash.',
    ),
    entry(
      'Ended',
      'revoked keys are refused everywhere within two seconds, also with every push lost; when it is not known what was revoked, all are refused with 503',
      'Each node asks twice a second for what ended after the last that it saw, and believes no record for longer than five.',
    ),
    entry(
      'Rotation',
      overlapSeconds === 0
        ? 'the old key ends at once'
        : `the old key lives on for ${overlapSeconds} seconds, never beyond its own expiry, and its answers say so (Deprecation, Sunset)`,
      'A rotation may say another time, up to seven days; at most two generations of a key live.',
    ),
    entry(
      'Expiry',
      `after ${expiresAfterDays} days where nobody says otherwise`,
      'What is forgotten ends by itself; `sallyport keys list --expiring 30d` lists what soon will.',
    ),
    entry(
      'Bad keys',
      `401, the same for unknown, expired and revoked ones; after ${failuresPerMinute} in a minute no key of that address is looked up (429), and those that this process found valid within the last hour pass as ever`,
      'Guessing gains nothing, and can’t wear out the database.',
    ),
    entry(
      'Secret keys in browsers',
      'refused with 403 where the request has an Origin header, and told as exposed',
      'Whoever opens that page can read the key.',
    ),
    entry(
      'Rights',
      'those of the key that its owner has at that moment',
      'Whoever loses a right loses it for all keys made before.',
    ),
    entry(
      'Leaked keys',
      leakReports
        ? 'reported at POST /.well-known/key-leaks by scanners and by whoever finds one; a secret key is revoked'
        : 'no place to report them',
      'Whoever names a key has it, so nothing more is asked; the answer is the same for good and bad ones.',
    ),
    ...serviceEntries(first.setting),
  ]
  return {
    control: 'keys',
    id: ID,
    title: TITLE,
    entries: [
      ...entries,
      ...sameForAll(
        active,
        'Publishable keys',
        (_setting, resolved) => publishableText(inForce(resolved)!),
        'They stand in pages and apps, so they are no secret: only what is opened to them is theirs, and a page must be of an origin that the key lists.',
      ),
    ],
    limits: [
      'A publishable key identifies an application, not a person: outside browsers nothing says where it is used.',
      'A key that is copied works for the copier until it is revoked or rotated.',
      ...(fullSelfService(first.setting) === undefined
        ? []
        : [
            'Keys that a key has made outlive it: the list names their maker (createdBy), so that they can be revoked with it.',
            'A secret key that is copied can rotate itself: its holder is locked out then, and sees so at once.',
          ]),
      ...(place === 'fetch'
        ? [
            'The host may hide the address of callers: then bad keys are not limited by address, and keys that are bound to networks are refused.',
          ]
        : []),
    ],
  }
}

function serviceEntries(setting: KeysSetting): readonly Entry[] {
  const service = fullSelfService(setting)
  if (service === undefined) return []
  const { readScope, writeScope, roles } = service
  const people = roles.length === 0 ? 'nobody in a role' : `people in the role ${roles.join(' or ')}`
  return [
    entry(
      'Who works on keys',
      `at ${KEYS_PATH}: ${people} by a session, and tokens and secret keys with ${writeScope}, make, rotate and revoke those of their organisation; ${readScope} lists them; a secret key rotates and revokes itself`,
      'The organisation is that of the credential alone, and a key of another is answered like one that does not exist. A publishable key works on none.',
    ),
    entry(
      'Rights of a key that is made there',
      'never more than whoever makes it has at that moment: scopes, plan, networks, environment, store, expiry',
      'A key that leaked, or a member who leaves, gains nothing by it. The text of a key that can do more is not given out either, by rotating it.',
    ),
    entry(
      'Rotated there',
      'the old key is refused in the next request here, and within two seconds on every other node; the new text is in one answer (no-store) and kept nowhere',
      'What was done is in the audit log before it is answered; where the log is away, nothing is given out (503). A request with an Idempotency-Key does nothing twice.',
    ),
  ]
}

/** The setting where it is enforced. */
export function inForce({ setting, cell }: Resolved<KeysSetting>): FullKeysSetting | undefined {
  return (setting.mode ?? 'enforce') === 'enforce' ? fullSetting(setting, cell) : undefined
}

function entry(name: string, value: string, why: string): Entry {
  return { name, value, why, cells: [] }
}

function publishableText({ publishable }: FullKeysSetting): string {
  if (publishable === undefined) return 'open nothing here'
  const { methods, scopes } = publishable
  return `${methods.join(', ')}${scopes.length === 0 ? ', without a scope' : ` with ${scopes.join(', ')} at most`}`
}
