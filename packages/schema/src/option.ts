// One option: a zod type with what a person is told about it. Flags, variables, keys, help and reference all come from here.
import * as z from 'zod/mini';

/** A place that values come from. */
export type Source = 'file' | 'environment' | 'command-line';

export type OptionMeta = {
  /** One sentence that says what the option does. */
  readonly help: string;
  /** One-letter form of the flag. */
  readonly short?: string;
  /** Variables beside `RFO_<KEY>`. */
  readonly variables?: readonly string[];
  /** What the help shows for the value, for example `address`. */
  readonly value?: string;
  /** What applies when nothing is given and that depends on something else. */
  readonly unset?: string;
  /** A comma in a text separates items of the list. */
  readonly split?: true;
  /** The value is a path: shells complete it. */
  readonly path?: true;
  /** The value is never printed. */
  readonly secret?: true;
  /** Not in help, completion and reference. */
  readonly hidden?: true;
  /** Where it may be given, if not everywhere. */
  readonly from?: readonly Source[];
};

export type OptionType = z.ZodMiniType;
export type Shape = Readonly<Record<string, OptionType>>;

/** All that machinery needs to know of an option. */
export type OptionInfo = OptionMeta & {
  readonly key: string;
  /** Its own variable, such as `RFO_CLUSTER_CIDR`. */
  readonly variable: string;
  readonly group: string;
  readonly kind: 'boolean' | 'number' | 'text' | 'list';
  readonly choices?: readonly string[];
  readonly default?: unknown;
};

const metas = z.registry<OptionMeta>();
const groups = z.registry<{ readonly title: string }>();

/** Switched on by `--key`; off unless `initial` says otherwise. */
export const toggle = (meta: OptionMeta, initial = false) => declared(z._default(z.boolean(), initial), meta);

/** Any number of values, none unless given. */
export const list = <T extends OptionType>(type: T, meta: OptionMeta) => declared(z._default(z.array(type), []), meta);

/** May be left out. */
export const maybe = <T extends OptionType>(type: T, meta: OptionMeta) => declared(z.optional(type), meta);

/** Has a value in any case: the given one, or this, written as a user would write it. */
export const preset = <T extends OptionType>(type: T, initial: z.input<T>, meta: OptionMeta) => declared(z.prefault(type, initial), meta);

/** Puts options under one heading of help and reference. */
export function optionGroup<S extends Shape>(title: string, options: S): S {
  for (const option of Object.values(options)) groups.add(option, { title });
  return options;
}

/** Reads back what was declared. */
export function describeOption(key: string, option: OptionType, prefix = 'RFO_'): OptionInfo {
  const meta = metas.get(option);
  if (meta === undefined) throw new TypeError(`${key} is not declared as an option`);
  return {
    key,
    variable: `${prefix}${key.toUpperCase().replaceAll('-', '_')}`,
    group: groups.get(option)?.title ?? '',
    ...meta,
    ...describeType(option),
  };
}

function declared<T extends OptionType>(type: T, meta: OptionMeta): T {
  metas.add(type, meta);
  return type;
}

function describeType(option: z.core.$ZodType): Pick<OptionInfo, 'kind' | 'choices' | 'default'> {
  const { def } = (option as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'default':
    case 'prefault':
      return { ...describeType(def.innerType), default: def.defaultValue };
    case 'optional':
      return describeType(def.innerType);
    case 'pipe':
      return describeType(def.in);
    case 'boolean':
    case 'number':
      return { kind: def.type };
    case 'array':
      return { ...describeType(def.element), kind: 'list' };
    case 'enum':
      return { kind: 'text', choices: Object.values(def.entries).map(String) };
    case 'string':
      return { kind: 'text' };
    default:
      throw new TypeError(`an option cannot be of the type ${def.type}`);
  }
}
