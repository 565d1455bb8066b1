// One question to an issuer: no redirects, a bounded answer, a bounded wait. The address is the policy's, never a
// caller's.

import { type JsonObject, readJsonObject } from './json.ts'

const MAX_BYTES = 65_536
const TIMEOUT_MS = 5_000

/** The object answered with status 200, and how long it may be kept; `undefined` where there is none. Never rejects. */
export async function fetchJson(
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit = {},
): Promise<{ readonly value: JsonObject; readonly maxAgeSeconds: number | undefined } | undefined> {
  try {
    const response = await fetch(url, {
      ...init,
      headers: { Accept: 'application/json', ...init.headers },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const bytes = await bodyOf(response)
    const value = response.status === 200 && bytes ? readJsonObject(bytes) : undefined
    return value && { value, maxAgeSeconds: maxAgeOf(response.headers.get('cache-control')) }
  } catch {
    return undefined
  }
}

async function bodyOf(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = response.body?.getReader()
  if (!reader) return undefined
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > MAX_BYTES) {
      await reader.cancel()
      return undefined
    }
    chunks.push(value)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

function maxAgeOf(cacheControl: string | null): number | undefined {
  const match = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl?.slice(0, 256) ?? '')
  return match ? Number(match[1]) : undefined
}

/** What the promise says, or `late` after so many milliseconds; the work itself goes on. */
export function within<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(late), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
