import { version } from './commands/version.ts';

/** Scripts ask for the version often; it needs none of the packages, which take most of a start. */
const main = async (words: readonly string[]): Promise<number> => {
  if (words.length === 1 && words[0] === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const { run } = await import('./commands/run.ts');
  return run(words);
};

// No top-level await: the single executable is built from CommonJS, which has none.
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
