// Serves the page where the policy publishes it. The pages are made once for each policy, and anew when the facts beside it
// are others: they show nothing of a request.

import {
  type DisclosureSetting,
  POSTURE_JSON_PATH,
  POSTURE_PATH,
  REVIEWER_JSON_PATH,
  REVIEWER_PATH,
} from '../../controls/disclosure/setting.ts'
import type { Answer, Denial, Judgement, Verdict } from '../../guard/control.ts'
import { lines } from '../../guard/lines.ts'
import { type Publisher, registerPublisher } from '../../guard/publish.ts'
import { postureHtml } from './html.ts'
import { isReviewerLink, LINK_KEY_VARIABLE } from './link.ts'
import { type Audience, createPosture, type PostureOptions } from './model.ts'

/** What the pages show beside the policy: the last verification, accepted weaknesses, changes. */
export type PublishedFacts = Omit<PostureOptions, 'place' | 'audience' | 'now'>

interface Page {
  readonly answer: Answer
  readonly unchanged: Answer
  readonly tag: string
}

const LOOK_MS = 60_000
const NOT_FOUND: Denial = { kind: 'deny', code: 'not_found' }

// The command and the server carry a copy of this module each; what one says the other must know.
const FACTS = Symbol.for('sallyport.posture.facts')
const shared = globalThis as { [FACTS]?: () => PublishedFacts }

/** Says what the pages show beside the policy; asked when a guard is made, and at most once a minute after that. */
export function publishFacts(source: () => PublishedFacts): void {
  shared[FACTS] = source
}

const publisher: Publisher = (policy, place, clock, isTrial) => {
  const { posture } = policy.cells.at(-2)!.settings['disclosure'] as DisclosureSetting
  const pages = new Map<string, Page>()
  let facts = shared[FACTS]?.()
  let lookedAt = clock()
  const make = async (audience: Audience, path: string, jsonPath: string): Promise<void> => {
    const made = await createPosture(policy, { ...facts, place, audience, now: clock() })
    pages.set(path, pageOf(postureHtml(made), 'text/html; charset=utf-8', made.policyDigest))
    pages.set(jsonPath, pageOf(JSON.stringify(made), 'application/json', made.policyDigest))
  }
  const makeAll = () =>
    Promise.all([
      ...(posture === 'public' ? [make('public', POSTURE_PATH, POSTURE_JSON_PATH)] : []),
      make('reviewer', REVIEWER_PATH, REVIEWER_JSON_PATH),
    ])
  // Nothing of a policy that was resolved can fail here; should it, the page stays away and the API stays up.
  const first = makeAll().catch(() => {})
  // Who asks meanwhile is shown the page before.
  const renew = (now: number): void => {
    if (now - lookedAt < LOOK_MS) return
    lookedAt = now
    const found = shared[FACTS]?.()
    if (JSON.stringify(found) === JSON.stringify(facts)) return
    facts = found
    makeAll().catch(() => {})
  }
  const isOwn = (path: string) =>
    path === REVIEWER_PATH ||
    path === REVIEWER_JSON_PATH ||
    (posture === 'public' && (path === POSTURE_PATH || path === POSTURE_JSON_PATH))
  return ({ path, target, incoming }): Judgement => {
    if (!path.startsWith('/.well-known/') || !isOwn(path)) return undefined
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') return undefined
    if (path.startsWith(REVIEWER_PATH) && !isReviewerLink(key(), target, clock())) return NOT_FOUND
    renew(clock())
    const found = (): Verdict => {
      const page = pages.get(path)
      if (page === undefined) return NOT_FOUND
      return incoming.header('if-none-match') === page.tag ? page.unchanged : page.answer
    }
    if (pages.has(path)) return found()
    // For the few milliseconds in which the first pages are made.
    return isTrial ? untold(path) : first.then(found)
  }
}

// What is only tried has no time to make a page: the answer without its text.
function untold(path: string): Answer {
  const type = path.endsWith('.json') ? 'application/json' : 'text/html; charset=utf-8'
  return pageOf('', type, 'sha256:').answer
}

registerPublisher(publisher)

function key(): string | undefined {
  return globalThis.process?.env?.[LINK_KEY_VARIABLE]
}

function pageOf(body: string, type: string, digest: string): Page {
  // The same policy shows another page when the facts beside it change.
  const tag = `"${digest.replace(/^sha256:/, '').slice(0, 16)}-${fingerprint(body)}"`
  const tagged = ['ETag', tag] as const
  return {
    tag,
    answer: { kind: 'answer', status: 200, headers: lines([['Content-Type', type], tagged]), body },
    unchanged: { kind: 'answer', status: 304, headers: lines([tagged]), body: '' },
  }
}

// FNV-1a: it tells texts of our own apart, and guards nothing.
function fingerprint(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}
