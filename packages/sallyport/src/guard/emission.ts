// What every adapter holds to when an application's body is replaced by a problem document.

// What may stay on an answer whose body is replaced: nothing that describes the old body, nothing of the application's making.
const KEPT_ON_REPLACED =
  /^(?:connection|keep-alive|date|retry-after|set-cookie|vary|www-authenticate|allow|(?:x-)?ratelimit(?:-.*)?|access-control-.*)$/i

/** True for an application's header that stays when its body is replaced. */
export function staysOnReplaced(name: string): boolean {
  return KEPT_ON_REPLACED.test(name)
}
