// Who may do what: two keys, for the example only. A real API looks digests of keys up.

const SCOPES: Readonly<Record<string, readonly string[]>> = {
  sk_example_write: ['payments:write'],
  sk_example_read: [],
}

/** `undefined` where the caller may write payments, else the refusal. */
export function refuseUnlessWriter(request: Request): Response | undefined {
  const [, key = ''] = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '') ?? []
  if (!Object.hasOwn(SCOPES, key))
    return Response.json(
      { error: 'no valid key' },
      { status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="payments"' } },
    )
  if (!SCOPES[key]!.includes('payments:write'))
    return Response.json({ error: 'the key may not write payments' }, { status: 403 })
  return undefined
}
