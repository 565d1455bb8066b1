// `limits`: how much each caller may ask, by plan and by address, and what gives way when there is too much.

import { MODES } from '../../guard/control.ts'
import { flag, type Infer, integer, object, oneOf, record, type TextRule, text } from '../../policy/schema.ts'

const windowFields = {
  limit: integer(
    { min: 1, max: 10_000_000, example: 100 },
    'How much passes in any window. At most 65535 where the algorithm is strict.',
  ),
  windowSeconds: integer(
    { min: 1, max: 2_678_400, example: 60 },
    'The length of the window in seconds, up to 31 days; up to 24 days where the algorithm is smooth.',
  ),
  algorithm: oneOf(
    ['exact', 'strict', 'smooth'],
    'How is counted. exact: never more than the limit in any window, memory grows with the limit. strict: the same bound in constant memory; a caller at exactly the limit is refused now and then. smooth: evenly, with a burst: at most burst and limit together in any window.',
  ),
  burst: integer(
    { min: 1, max: 10_000_000, example: 10 },
    'For smooth: how much may come at once; a tenth of the limit where nothing is said.',
  ),
  onOutage: oneOf(
    ['local', 'open', 'closed'],
    'While a shared place that counts is away: each process counts its part alone, everything passes, or nothing passes (503); "local" where nothing is said.',
  ),
}

const planBucketSchema = object(windowFields, 'One bucket of a plan; exact where no algorithm is said.')

const addressBucketSchema = object(
  {
    ...windowFields,
    ipv6Prefix: integer(
      { min: 32, max: 128, example: 64 },
      'How many bits of an IPv6 address are one caller; 64, one subscriber’s link, where nothing is said. An IPv4 address is always one.',
    ),
    refund: oneOf(
      ['on-success', 'never'],
      'Whether a request whose caller turns out to be known is given back to the address; "on-success" where nothing is said, so that people behind one address are limited by their own plans.',
    ),
  },
  'One bucket of an address; strict where no algorithm is said.',
)

const bucketName: TextRule & { readonly pattern: RegExp } = {
  pattern: /^[a-z][a-z0-9-]{0,31}$/,
  expected: 'small letters, digits and hyphens, at most 32',
  mend: 'write a name such as "minute"',
}

const planName: TextRule & { readonly pattern: RegExp } = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  expected: 'letters, digits, "_" and "-", at most 64',
  mend: 'write a name such as "free"',
}

const planSchema = object(
  {
    buckets: record(
      bucketName,
      planBucketSchema,
      'The buckets of the plan, by name; all must let a request pass.',
    ),
  },
  'One plan.',
)

export const limitsSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    plans: record(
      planName,
      planSchema,
      'What callers of each plan may ask. Buckets of the same name share one count over routes and plans, so a new plan acts at once.',
    ),
    defaultPlan: text(planName, 'The plan of callers who have none, or one that is not listed.'),
    by: oneOf(
      ['organisation', 'key', 'account'],
      'Who has a bucket of a plan: the whole organisation, each of its keys (an account where no key was shown), or each of its accounts; "organisation" where nothing is said.',
    ),
    addresses: object(
      { buckets: record(bucketName, addressBucketSchema, 'The buckets of each address, by name.') },
      'What each address may ask before it is known who calls.',
    ),
    cost: integer(
      { min: 1, max: 10_000_000, example: 1 },
      'How much of each bucket a request takes; 1 where nothing is said.',
    ),
    reservePercent: integer(
      { min: 0, max: 99, example: 20 },
      'The share of each plan bucket that only critical routes may use, in percent; 0 where nothing is said.',
    ),
    critical: flag('Whether the route may use the reserve and is let in while others are shed.'),
    shed: object(
      {
        delayMs: integer(
          { min: 10, max: 60_000, example: 200 },
          'How late the process may run, in milliseconds, before requests to routes that are not critical are refused with 503.',
        ),
        retryAfterSeconds: integer(
          { min: 1, max: 3600, example: 5 },
          'What Retry-After tells them, in seconds; 5 where nothing is said.',
        ),
      },
      'What gives way when the process is overloaded; it needs a measure of load.',
    ),
    disclose: oneOf(
      ['full', 'retry-only', 'none'],
      'What callers are told. full: the bucket, its limit, what is left and when, on every answer. retry-only: Retry-After on refusals, rounded up. none: nothing. "full" where nothing is said.',
    ),
    structuredFields: flag(
      'Also send RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11).',
    ),
  },
  'Rate limits: by plan and by address, over any window.',
)

export type LimitsSetting = Infer<typeof limitsSchema>
export type PlanBucketSetting = Infer<typeof planBucketSchema>
export type AddressBucketSetting = Infer<typeof addressBucketSchema>

export const limitsDefaults: LimitsSetting = {}

/** True where the setting limits anything. */
export function limitsAnything(setting: LimitsSetting): boolean {
  return setting.plans !== undefined || setting.addresses !== undefined || setting.shed !== undefined
}
