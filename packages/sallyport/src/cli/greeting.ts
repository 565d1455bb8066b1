// What `sallyport start` says first: where everything is, and three lines to try that show what the gateway changes.

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
  /** Where the posture page is; absent where the policy does not publish it. */
  readonly posture?: string
}

/** The three lines: the API itself, the same through the gateway, and a crash through the gateway. */
export function curlLines({ url, address, sample, caFile }: Demo): readonly string[] {
  const { host, hostname, port } = new URL(url)
  const trusted = `--cacert ${quoted(caFile)} --resolve ${hostname}:${port}:${address}`
  return [
    `curl -si ${sample}/v1/account`,
    `curl -si ${trusted} https://${host}/v1/account`,
    `curl -si ${trusted} https://${host}/v1/orders`,
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
    `  ${crash}`,
    '',
    'Ctrl-C drains and stops.',
  ].join('\n')
}

// A path is put into a shell line: anything but plain characters is quoted.
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
