// `@sallyport/server`: what needs a process. The first gateway, its local certificate, a sample upstream to try it on.

export { type LoadedConfiguration, loadConfiguration } from './config/load.ts'
export { checkPlaces } from './config/places.ts'
export type { GatewayConfiguration } from './config/setting.ts'
export { DEFAULT_GRACE_MS, type Gateway, type GatewayEvent, type GatewayOptions } from './contract.ts'
export { type Fleet, type FleetOptions, startFleet } from './fleet/fleet.ts'
export { startGateway } from './gateway.ts'
export { type SampleKeys, sampleKeys } from './sample/keys.ts'
export { type SampleUpstream, startSampleUpstream } from './sample/upstream.ts'
export { type LocalCertificate, type LocalCertificateOptions, localCertificate } from './tls/local.ts'
