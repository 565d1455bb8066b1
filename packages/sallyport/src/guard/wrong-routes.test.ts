// Wrong route keys, and the exact sentences that refuse them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicyError } from '../policy/problem.ts'
import { resolvePolicy } from './resolve.ts'

type Row = readonly [policy: unknown, ...messages: string[]]

const wrongRoutes: readonly Row[] = [
  [
    { routes: { 'v1/x': {} } },
    'routes["v1/x"]: a route path starts with "/", received "v1/x"; write "/v1/x"',
  ],
  [
    { routes: { 'FETCH /x': {} } },
    'routes["FETCH /x"]: a route may name one method of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY, received "FETCH /x"; write "GET /x", or no method for every one',
  ],
  [
    { routes: { 'get /x': {} } },
    'routes["get /x"]: a route may name one method of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY, received "get /x"; write "GET /x", or no method for every one',
  ],
  [
    { routes: { 'GET x': {} } },
    'routes["GET x"]: a route path starts with "/", received "GET x"; write "GET /x"',
  ],
  [
    { routes: { '/a/*/b': {} } },
    'routes["/a/*/b"]: "*" may only stand as the last segment, received "/a/*/b"; use ":name" for one segment in the middle',
  ],
  [
    { routes: { '/a*': {} } },
    'routes["/a*"]: "*" must be a whole segment, received "/a*"; write "/files/*", or ":name" for one segment',
  ],
  [
    { routes: { '/a/:': {} } },
    'routes["/a/:"]: a parameter is ":" and a name of letters, digits and "_", received "/a/:"; write ":id"',
  ],
  [
    { routes: { '/a/x:id': {} } },
    'routes["/a/x:id"]: a segment is a word, ":name" or "*", received "/a/x:id"; write "/users/:id"',
  ],
  [
    { routes: { '/a/{id}': {} } },
    'routes["/a/{id}"]: a segment is a word, ":name" or "*", received "/a/{id}"; write "/users/:id"',
  ],
  [
    { routes: { '/a//b': {} } },
    'routes["/a//b"]: a route path is written as clients send it, and this one has an empty segment, received "/a//b"; write one "/" for "//"',
  ],
  [
    { routes: { '/a/../b': {} } },
    'routes["/a/../b"]: a route path is written as clients send it, and this one has a dot segment, received "/a/../b"; write the path that it leads to, without "." and ".."',
  ],
  [
    { routes: { '/a%2Fb': {} } },
    'routes["/a%2Fb"]: a route path is written as clients send it, and this one has an escaped slash or backslash, received "/a%2Fb"; choose a path without it: servers disagree about it',
  ],
  [
    { routes: { '/a%2eb': {} } },
    'routes["/a%2eb"]: a route path is written as clients send it, and this one has an escape in small letters, received "/a%2eb"; write its digits in capitals, such as %C3',
  ],
  [
    { routes: { '/%7Ea': {} } },
    'routes["/%7Ea"]: a route path is written as clients send it, and this one has an escape of a plain character, received "/%7Ea"; write the character itself',
  ],
  [
    { routes: { '/a;b': {} } },
    'routes["/a;b"]: a route path is written as clients send it, and this one has a semicolon, received "/a;b"; servers disagree about ";": choose another path',
  ],
  [
    { routes: { '/a\\b': {} } },
    'routes["/a\\\\b"]: a route path is written as clients send it, and this one has a backslash, received "/a\\\\b"; write "/"',
  ],
  [
    { routes: { '/a b': {} } },
    'routes["/a b"]: a route path is written as clients send it, and this one has a character that must be escaped, received "/a b"; write it as %XX, without query or fragment: routes match the path alone',
  ],
  [
    { routes: { '/a?b=1': {} } },
    'routes["/a?b=1"]: a route path is written as clients send it, and this one has a character that must be escaped, received "/a?b=1"; write it as %XX, without query or fragment: routes match the path alone',
  ],
  [
    { routes: { '/é': {} } },
    'routes["/é"]: a route path is written as clients send it, and this one has a character that must be escaped, received "/é"; write it as %XX, without query or fragment: routes match the path alone',
  ],
  [
    { routes: { '/%C3': {} } },
    'routes["/%C3"]: a route path is written as clients send it, and this one has an escape that is not UTF-8, received "/%C3"; escape the UTF-8 bytes of the character',
  ],
  [
    { routes: { '/50%': {} } },
    'routes["/50%"]: a route path is written as clients send it, and this one has "%" without two hexadecimal digits after it, received "/50%"; write "%25" for "%" itself',
  ],
  [
    { routes: { '/%2541': {} } },
    'routes["/%2541"]: a route path is written as clients send it, and this one has an escaped "%", received "/%2541"; choose a path without it: servers disagree about it',
  ],
  [
    { routes: { '/a': {}, '/A': {} } },
    'routes["/A"]: covers the same paths as "/a" for a program that ignores letter case, a trailing slash or parameter names; keep one of the two',
  ],
  [
    { routes: { '/a': {}, '/a/': {} } },
    'routes["/a/"]: covers the same paths as "/a" for a program that ignores letter case, a trailing slash or parameter names; keep one of the two',
  ],
  [
    { routes: { '/u/:id': {}, '/u/:name': {} } },
    'routes["/u/:name"]: covers the same paths as "/u/:id" for a program that ignores letter case, a trailing slash or parameter names; keep one of the two',
  ],
  [
    { routes: { 'GET /u/*': {}, 'GET /U/*': {} } },
    'routes["GET /U/*"]: covers the same paths as "GET /u/*" for a program that ignores letter case, a trailing slash or parameter names; keep one of the two',
  ],
]

for (const [policy, ...messages] of wrongRoutes)
  test(`refuses ${JSON.stringify(policy)}`, () => {
    assert.throws(
      () => resolvePolicy(policy as never),
      (error) => {
        assert.ok(error instanceof PolicyError)
        assert.deepEqual(error.message.split('\n'), messages)
        return true
      },
    )
  })
