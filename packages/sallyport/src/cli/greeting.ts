// What `sallyport start` says first: where everything is, and three lines to try that show what the gateway changes.

import type { SampleKeys } from './server.ts'

/** What the greeting tells. */
export interface Demo {
  /** `https://sallyport.localhost:8443` */
  readonly url: string
  readonly address: string
  readonly sample: string
  readonly policy: string
  readonly digest: string
  /** As the reader's terminal would name it. */
  readonly caFile: string
  /** Two keys to try; absent where the policy knows none. */
  readonly keys?: SampleKeys
  /** Where the secret key can be changed for another; absent where the policy lets no caller do it. */
  readonly rotate?: string
  /** Where the posture page is; absent where the policy does not publish it. */
  readonly posture?: string
}

/** The three lines: the API itself, the same through the gateway, and a crash through the gateway, until the plan is used up. */
export function curlLines({ url, address, sample, caFile, keys }: Demo): readonly string[] {
  const { host, hostname, port } = new URL(url)
  const trusted = `--cacert ${quoted(caFile)} --resolve ${hostname}:${port}:${address}`
  const bearer = keys === undefined ? '' : ` -H "Authorization: Bearer ${keys.secret}"`
  return [
    `curl -si ${sample}/v1/account`,
    `curl -si ${trusted}${bearer} https://${host}/v1/account`,
    keys === undefined
      ? `curl -si ${trusted} https://${host}/v1/orders`
      : `curl -si ${trusted}${bearer} "https://${host}/v1/orders?page=[1-4]"`,
  ]
}

/** The whole greeting. */
export function greeting(demo: Demo): string {
  const [direct, guarded, crash] = curlLines(demo)
  return [
    'Sallyport is running.',
    '',
    `  gateway   ${demo.url}`,
    `  API       ${demo.sample}  (a sample that misbehaves on purpose)`,
    `  policy    ${demo.policy}, ${demo.digest}`,
    ...(demo.posture === undefined ? [] : [`  posture   ${demo.posture}`]),
    ...(demo.keys === undefined
      ? []
      : [
          `  keys      ${demo.keys.secret}  (secret, for servers; of the sample organisation Harbour Pilots)`,
          `            ${demo.keys.publishable}  (publishable, for browsers)`,
          ...(demo.rotate === undefined
            ? []
            : [`            POST ${demo.rotate} changes the first for another`]),
        ]),
    '',
    'Try in another terminal:',
    '',
    '  # The API itself names its software, and lets every cache keep private data.',
    `  ${direct}`,
    '',
    '  # The same through the gateway.',
    `  ${guarded}`,
    '',
    '  # Behind this one a database error happens; nothing of it gets out, and every header holds.',
    ...(demo.keys === undefined
      ? []
      : ['  # An order costs 30 of the 100 requests a minute of the plan: the fourth answer is 429.']),
    `  ${crash}`,
    '',
    'Ctrl-C drains and stops.',
  ].join('\n')
}

// A path is put into a shell line: anything but plain characters is quoted.
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
