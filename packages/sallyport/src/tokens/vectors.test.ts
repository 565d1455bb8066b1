// Signatures that others made: the examples of RFC 7515 and RFC 8037, and those of node:crypto.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeKey, signed } from '../../test/access/issuer.ts'
import {
  ALGORITHMS,
  type Algorithm,
  importPublicKey,
  isSignedBy,
  type PublicJwk,
  suits,
} from './algorithms.ts'
import { fromBase64url } from './base64url.ts'
import { parseJwt } from './jwt.ts'

const VECTORS: readonly (readonly [name: string, algorithm: Algorithm, jwk: PublicJwk, jws: string])[] = [
  [
    'RFC 7515, appendix A.2',
    'RS256',
    {
      kty: 'RSA',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
      e: 'AQAB',
    },
    'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
  ],
  [
    'RFC 7515, appendix A.3',
    'ES256',
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  ],
  [
    'RFC 8037, appendix A.4',
    'EdDSA',
    { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  ],
]

async function holds(jws: string, jwk: PublicJwk, algorithm: Algorithm): Promise<boolean> {
  const end = jws.lastIndexOf('.')
  const key = suits(jwk, algorithm) ? await importPublicKey(jwk, algorithm) : undefined
  assert.ok(key)
  return isSignedBy(key, algorithm, fromBase64url(jws.slice(end + 1))!, Buffer.from(jws.slice(0, end)))
}

for (const [name, algorithm, jwk, jws] of VECTORS)
  test(`${algorithm}: ${name}`, async () => {
    assert.equal(await holds(jws, jwk, algorithm), true)
    // One bit of what is signed.
    assert.equal(await holds(jws.replace('eyJhbGciOiJ', 'eyJhbGciOiK'), jwk, algorithm), false)
  })

for (const algorithm of ALGORITHMS)
  test(`${algorithm}: what node:crypto signs, and nothing that another key signed`, async () => {
    const [key, other] = [makeKey(algorithm, 'a'), makeKey(algorithm, 'b')]
    const jws = signed(key, { alg: algorithm }, { a: 1 })
    assert.equal(await holds(jws, key.jwk as unknown as PublicJwk, algorithm), true)
    assert.equal(await holds(jws, other.jwk as unknown as PublicJwk, algorithm), false)
    assert.equal(parseJwt(jws)?.algorithm, algorithm)
  })

test('a key is for one algorithm, for signatures, and long enough', () => {
  const rsa = makeKey('RS256', 'a').jwk as unknown as PublicJwk
  assert.equal(suits(rsa, 'RS256'), true)
  assert.equal(suits(rsa, 'ES256'), false)
  assert.equal(suits({ ...rsa, alg: 'PS256' }, 'RS256'), false)
  assert.equal(suits({ ...rsa, use: 'enc' }, 'RS256'), false)
  assert.equal(suits({ ...rsa, key_ops: ['encrypt'] }, 'RS256'), false)
  // 1024 bits.
  assert.equal(suits({ ...rsa, n: rsa.n!.slice(0, 171) }, 'RS256'), false)
  const p256 = makeKey('ES256', 'a').jwk as unknown as PublicJwk
  assert.equal(suits(p256, 'ES384'), false)
})
