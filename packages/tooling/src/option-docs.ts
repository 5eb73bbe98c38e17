/** An argument or an option, and what is said of it. */
export interface ArgumentDoc {
  /** As it is written: `fn`; an option with a dot before it, `.concurrency`, `.retry.attempts`. */
  readonly name: string;
  readonly isRequired: boolean;
  readonly text: string;
}

/** An interface of options, or a type made of some. */
interface OptionsType {
  /** What it says of others: the names of these are among it. */
  readonly head: string;
  readonly members: ReadonlyArray<ArgumentDoc & { readonly type: string }>;
}

/** Types of options, by name. */
export type OptionTypes = ReadonlyMap<string, OptionsType>;

/** What runs take, and what many stages do, is on the page once. */
export const RUN_OPTIONS = 'RunOptions';
const SHARED: readonly string[] = ['CallOptions', 'EdgeOptions', 'StepOptions'];

const NAME = /\b(?:\w+Options|\w+Fold|Rate)\b/g;
const TYPE =
  /^(?:export )?(?:interface (?<of>\w+)(?<head>(?:[^{]|\{\})*?) \{(?:\}$|\n(?<body>[\s\S]*?)^\})|type (?<alias>\w+)(?<made>[^;]*?=[\s\S]*?);\n(?=\n))/gm;
const MEMBER = /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*(?:readonly )?(\w+)(\??)([:(<][^;]*);/g;

/** Finds the types of options that a file declares. */
export function optionTypesOf(text: string): Map<string, OptionsType> {
  const types = new Map<string, OptionsType>();
  for (const { groups = {} } of text.matchAll(TYPE)) {
    const name = groups['of'] ?? groups['alias'] ?? '';
    if (name.match(NAME)?.[0] !== name) continue;
    const members = [...(groups['body'] ?? groups['made'] ?? '').matchAll(MEMBER)].map(
      ([, comment = '', member = '', optional, type = '']) => ({
        name: member,
        isRequired: optional === '' && groups['of'] !== undefined,
        text: flat(comment),
        type: type.replace(/^: /, ''),
      }),
    );
    types.set(name, { head: groups['head'] ?? groups['made'] ?? '', members });
  }
  return types;
}

/** The options of several signatures, each once; required is what all of them require. */
export function optionsOfAll(signatures: readonly string[], types: OptionTypes): ArgumentDoc[] {
  const each = signatures.map((signature) => optionsIn(signature, types));
  const all = new Map(each.flat().map((option) => [option.name, option]));
  return [...all.values()].map((option) => ({
    ...option,
    isRequired: each.every((options) => options.some(({ name, isRequired }) => name === option.name && isRequired)),
  }));
}

/** The options that a type or a signature names, each once: those of a type itself before those it extends. */
export function optionsIn(signature: string, types: OptionTypes, prefix = '.'): ArgumentDoc[] {
  const found = new Map<string, ArgumentDoc>();
  for (const [name] of signature.matchAll(NAME)) {
    if (name === RUN_OPTIONS || SHARED.includes(name)) continue;
    const picked = new RegExp(`Pick<${name}\\b[^']*((?:'\\w+'[ |]*)+)>`).exec(signature)?.[1];
    for (const option of optionsOf(name, types, prefix)) {
      if (picked !== undefined && !picked.includes(`'${option.name.slice(1)}'`)) continue;
      if (!found.has(option.name)) found.set(option.name, option);
    }
  }
  return [...found.values()];
}

/** The options that many stages have. */
export function sharedOptions(types: OptionTypes): ArgumentDoc[] {
  const docs = SHARED.flatMap((name) => optionsOf(name, types));
  return docs.filter(({ name }, at) => docs.findIndex((other) => other.name === name) === at);
}

/** The options of one type, those it extends and those within one of them included. */
export function optionsOf(name: string, types: OptionTypes, prefix = '.'): ArgumentDoc[] {
  const type = types.get(name);
  if (type === undefined) return [];
  const own = type.members.flatMap(({ type: of, ...member }) => {
    const inner = of.match(/^\w+Options\b/)?.[0];
    const named = { ...member, name: `${prefix}${member.name}` };
    return inner === undefined ? [named] : [named, ...optionsOf(inner, types, `${named.name}.`)];
  });
  const rest = optionsIn(type.head, types, prefix).filter((option) => own.every((each) => each.name !== option.name));
  return [...own, ...rest];
}

/** All signatures of a function or a method, the text of each up to its end. */
export function signaturesOf(text: string, symbol: string, isMethod: boolean): string[] {
  const begin = isMethod ? `  (?:async )?${symbol}(?=[<(])` : `export (?:async )?function ${symbol}(?=[<(])`;
  return [...text.matchAll(new RegExp(`^${begin}[\\s\\S]*?(?: \\{|;)\\n`, 'gm'))].map(([signature]) => signature);
}

/** A table of arguments and options. */
export function argumentTable(docs: readonly ArgumentDoc[]): string {
  const rows = docs.map(({ name, isRequired, text }) => {
    const cells = [`\`${name}\`${isRequired && name.startsWith('.') ? ', required' : ''}`, text];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| | |', '| --- | --- |', ...rows].join('\n');
}

/** A comment as one line, links as code. */
export function flat(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim());
  return unlinked(lines.join(' ').trim());
}

/** Turns the links of a comment into code, as a page of Markdown has no place for them to lead to. */
export const unlinked = (text: string): string =>
  text.replace(/\{@link ([^}|]+?)(?:\s*\|\s*([^}]+?))?\s*\}/g, (_all, target, title) => title ?? `\`${target}\``);
