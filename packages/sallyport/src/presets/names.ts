// The names of the presets, apart from their data, so that the language knows them without loading them.

export const PRESET_NAMES = ['api', 'payments', 'commerce', 'recommended'] as const
export type PresetName = (typeof PRESET_NAMES)[number]
