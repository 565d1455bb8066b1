// Permissions-Policy: the features that browsers know, the header's value, how it is read back, and which is stricter.

import type { Change } from '../../guard/control.ts'

const SELF = `accelerometer all-screens-capture ambient-light-sensor aria-notify autoplay bluetooth camera
captured-surface-control clipboard-read clipboard-write compute-pressure controlled-frame cross-origin-isolated
deferred-fetch device-attributes digital-credentials-create digital-credentials-get direct-sockets
direct-sockets-private display-capture encrypted-media fullscreen gamepad geolocation gyroscope hid
identity-credentials-get idle-detection keyboard-lock keyboard-map language-detector language-model
local-fonts local-network local-network-access loopback-network magnetometer microphone midi monetization
on-device-speech-recognition otp-credentials payment proofreader publickey-credentials-create
publickey-credentials-get rewriter screen-wake-lock serial smart-card speaker-selection summarizer
translator usb usb-unrestricted web-app-installation web-printing web-share window-management writer
xr-spatial-tracking`

const EVERYONE = `attribution-reporting browsing-topics ch-dpr ch-device-memory ch-downlink ch-ect
ch-prefers-color-scheme ch-prefers-reduced-motion ch-prefers-reduced-transparency ch-rtt ch-save-data ch-ua
ch-ua-arch ch-ua-bitness ch-ua-form-factors ch-ua-full-version ch-ua-full-version-list ch-ua-high-entropy-values
ch-ua-mobile ch-ua-model ch-ua-platform ch-ua-platform-version ch-ua-wow64 ch-viewport-height ch-viewport-width
ch-width deferred-fetch-minimal document-domain execution-while-not-rendered execution-while-out-of-viewport
fenced-unpartitioned-storage-read focus-without-user-activation interest-cohort join-ad-interest-group
picture-in-picture private-aggregation private-state-token-issuance private-state-token-redemption
record-ad-auction-events run-ad-auction shared-storage shared-storage-select-url storage-access sync-script
sync-xhr unload vertical-scroll`

const words = (text: string) => text.split(/\s+/)

let known: ReadonlyMap<string, 'self' | '*'> | undefined

/**
 * Each feature with what holds where the header says nothing of it: the page itself, or everyone. Made when first asked
 * for, since most processes load the library and never ask.
 */
export function features(): ReadonlyMap<string, 'self' | '*'> {
  known ??= new Map([
    ...words(SELF).map((name) => [name, 'self'] as const),
    ...words(EVERYONE).map((name) => [name, '*'] as const),
  ])
  return known
}

/** Features and who may use them. */
export type Permissions = Readonly<Record<string, readonly string[]>>

/** A structured dictionary (RFC 9651): `camera=(), fullscreen=(self "https://app.example")`. */
export function permissionsValue(features: Permissions): string {
  return Object.entries(features)
    .map(([feature, allowed]) =>
      allowed.includes('*')
        ? `${feature}=*`
        : `${feature}=(${allowed.map((who) => (who.startsWith('https:') ? `"${who}"` : who)).join(' ')})`,
    )
    .join(', ')
}

const MEMBER =
  /^[\t ]*([a-z*][a-z0-9_.*-]*)(?:=(?:(\*)|(self)|"([^"]{0,512})"|\(([^()]{0,4096})\)))?((?:;[^,;"]*)*)[\t ]*(?:,|$)/

/** Reads the header as a browser does; `undefined` where it is no structured dictionary, and so ignored as a whole. */
export function parsePermissions(value: string): Permissions | undefined {
  const features: Record<string, readonly string[]> = {}
  let rest = value
  while (rest.trim() !== '') {
    const match = MEMBER.exec(rest)
    if (!match) return undefined
    const [whole, feature = '', star, self, origin, inner] = match
    features[feature] =
      star !== undefined
        ? ['*']
        : self !== undefined
          ? ['self']
          : origin !== undefined
            ? [origin]
            : (inner ?? '')
                .trim()
                .split(/[\t ]+/)
                .filter((item) => item !== '')
                .map((item) => item.replace(/^"|"$/g, ''))
    rest = rest.slice(whole.length)
    if (whole.endsWith(',') && rest.trim() === '') return undefined
  }
  return features
}

// Without a word in the header the page may use the feature, and hand it on to whomever it embeds: more than any list
// grants. `*` grants everyone.
function grants(permissions: Permissions, feature: string): readonly string[] | 'default' | '*' {
  const allowed = Object.hasOwn(permissions, feature) ? permissions[feature] : undefined
  if (allowed !== undefined) return allowed.includes('*') ? '*' : allowed
  return features().get(feature) === '*' ? '*' : 'default'
}

// Who is granted beyond `outer`, in words.
function beyond(outer: ReturnType<typeof grants>, inner: ReturnType<typeof grants>): string | undefined {
  if (outer === '*' || outer === inner) return undefined
  if (inner === '*') return 'everyone'
  if (outer === 'default') return undefined
  if (inner === 'default') return 'the page and whom it embeds'
  const extra = inner.find((who) => !outer.some((other) => other === who || wildcardCovers(other, who)))
  return extra === 'self' ? 'the page' : extra
}

function wildcardCovers(outer: string, inner: string): boolean {
  const at = outer.indexOf('://*.')
  if (at < 0) return false
  const [scheme, host] = [outer.slice(0, at + 3), outer.slice(at + 4)]
  return inner.startsWith(scheme) && inner.endsWith(host) && inner.length > scheme.length + host.length
}

/** Every feature whose users differ. */
export function comparePermissions(before: Permissions, after: Permissions): readonly Change[] {
  const features = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return features.flatMap((feature): Change[] => {
    const [from, to] = [grants(before, feature), grants(after, feature)]
    const [gained, lost] = [beyond(from, to), beyond(to, from)]
    if (gained === undefined && lost === undefined) return []
    const what = `permissionsPolicy.${feature}`
    if (gained === undefined)
      return [{ what, strength: 'stronger', because: `${feature} is no longer granted to ${lost}` }]
    if (lost === undefined)
      return [{ what, strength: 'weaker', because: `${feature} can be used by ${gained}` }]
    return [
      {
        what,
        strength: 'incomparable',
        because: `${feature} can be used by ${gained}, and no longer by ${lost}`,
      },
    ]
  })
}
