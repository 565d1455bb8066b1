// The setting that holds where a policy says nothing: what is left out on purpose, with reasons (claim D19).

import type { HeadersSetting } from './setting.ts'

export const headersDefaults: HeadersSetting = {
  strip: {
    'x-powered-by': 'It names the framework, which helps only an attacker.',
    server: 'It names the server software, often with its version.',
    'x-aspnet-version': 'It names a framework version.',
    'x-aspnetmvc-version': 'It names a framework version.',
    'x-generator': 'It names the software that made the answer.',
    'x-xss-protection':
      'The filter it controls is gone from browsers, and could be abused while it was there.',
    'public-key-pins': 'Pinning can lock every visitor out; browsers removed it.',
    'public-key-pins-report-only': 'Browsers removed it.',
    'expect-ct': 'Certificate Transparency is required by browsers anyway; the header is obsolete.',
    'feature-policy': 'Permissions-Policy took its place.',
    'x-download-options': 'Only Internet Explorer 8 to 11 read it.',
    'x-runtime': 'It tells how long the answer took inside, a help for timing attacks.',
    'x-sourcemap': 'It points at source code.',
    sourcemap: 'It points at source code.',
    'x-debug-token': 'It points at a debugger’s record of the request.',
    'x-debug-token-link': 'It points at a debugger’s record of the request.',
    'x-chromelogger-data': 'It carries log lines of the server.',
    'x-chromephp-data': 'It carries log lines of the server.',
    'x-webkit-csp': 'Content-Security-Policy took its place.',
    'x-content-security-policy': 'Content-Security-Policy took its place.',
    p3p: 'Only Internet Explorer read it.',
  },
}
