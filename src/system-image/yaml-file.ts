import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';

export type YamlFault = { readonly line: number; readonly reason: string };

/** Faults that a reader of YAML 1.1 (PyYAML, libyaml) does not see as such. */
const tolerated = new Set([
  'DUPLICATE_KEY',
  'TAG_RESOLVE_FAILED',
  'BAD_DIRECTIVE',
  'RESOURCE_EXHAUSTION',
]);

/** A bracket at the start of a line closes a list for libyaml, whatever the specification says. */
const looseFlow = /^Flow (?:sequence|map) in block collection must be sufficiently indented/;

type Documents = ReturnType<typeof parseAllDocuments>;

const documentsOf = (text: string, lineCounter = new LineCounter()): Documents =>
  parseAllDocuments(text, {
    lineCounter,
    version: '1.1',
    uniqueKeys: false,
    // What the 1.2 specification forbids though it is clear is taken by the readers on the disk.
    strict: false,
    logLevel: 'silent',
    prettyErrors: true,
  });

/** The first line for which the text is no YAML; null when it is. */
export const yamlFault = (text: string): YamlFault | null => {
  const documents = documentsOf(text);
  if ('empty' in documents) return null;
  const errors = documents.flatMap((document) => document.errors);
  // All errors after that one follow from it.
  if (
    errors.some(({ message, pos }) => looseFlow.test(message) && /[\]}]/.test(text[pos[0]] ?? ''))
  ) {
    return null;
  }
  const error = errors.find(({ code }) => !tolerated.has(code));
  if (error === undefined) return null;
  return {
    line: error.linePos?.[0].line ?? 1,
    reason: error.message.split(/ at line |\n/)[0] ?? '',
  };
};

/** Whether the text is a mapping at its top level; an empty text is. */
export const isYamlMapping = (text: string): boolean => {
  const documents = documentsOf(text);
  if ('empty' in documents) return true;
  return documents.every(({ contents }) => contents === null || isMap(contents));
};

/** The keys at the top level. */
export const yamlKeys = (text: string): readonly string[] => {
  const documents = documentsOf(text);
  if ('empty' in documents) return [];
  return documents.flatMap(({ contents }) =>
    isMap(contents) ? contents.items.map(({ key }) => String(key)) : [],
  );
};

/** Whether anything in a text that is YAML is given by an alias (`*name`) or a merge (`<<`). */
export const hasYamlAlias = (text: string): boolean => {
  const documents = documentsOf(text);
  if ('empty' in documents) return false;
  let found = false;
  const stop = (): symbol => {
    found = true;
    return visit.BREAK;
  };
  for (const document of documents) {
    visit(document, {
      Alias: stop,
      Pair: (_, { key }) => (isScalar(key) && key.source === '<<' ? stop() : undefined),
    });
  }
  return found;
};

/** A value that is no mapping and no list, with the keys and places in lists that lead to it. */
export type YamlLeaf = {
  readonly path: readonly string[];
  /** As it is written, without quotation marks; empty when there is nothing. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
};

/** Deeper is no configuration that a person wrote. */
const maxDepth = 20;

const leavesBelow = (
  node: unknown,
  path: readonly string[],
  lineAt: (offset: number) => number,
  line: number,
): readonly YamlLeaf[] => {
  if (path.length > maxDepth) return [];
  if (isMap(node)) {
    return node.items.flatMap(({ key, value }) => {
      const at = isScalar(key) && key.range ? lineAt(key.range[0]) : line;
      return leavesBelow(value, [...path, String(key)], lineAt, at);
    });
  }
  if (isSeq(node)) {
    return node.items.flatMap((item, index) =>
      leavesBelow(item, [...path, String(index)], lineAt, line),
    );
  }
  if (!isScalar(node)) return node === null ? [{ path, text: '', line }] : [];
  const text = node.source ?? (node.value === null ? '' : String(node.value));
  return [{ path, text, line: node.range ? lineAt(node.range[0]) : line }];
};

/** All values of a text that is YAML; what is named by an alias is left out. */
export const yamlLeaves = (text: string): readonly YamlLeaf[] => {
  const lines = new LineCounter();
  const documents = documentsOf(text, lines);
  if ('empty' in documents) return [];
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  return documents.flatMap(({ contents }) => leavesBelow(contents, [], lineAt, 1));
};
