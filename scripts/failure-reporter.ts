import type { Reporter } from 'vitest/node';

type Failure = { readonly message: string; readonly stack?: string; readonly diff?: string };

const print = (name: string, errors: readonly Failure[]): void => {
  for (const { message, stack = message, diff = '' } of errors) {
    console.error(`✘ ${name}\n${stack}\n${diff}\n`);
  }
};

/** Prints why a test failed as soon as it has: vitest itself tells it when all are through. */
export const failureReporter: Reporter = {
  onTestCaseResult: (test) => print(test.fullName, test.result().errors ?? []),
  onTestSuiteResult: (suite) => print(suite.fullName, suite.errors()),
  onTestModuleEnd: (module) => print(module.relativeModuleId, module.errors()),
};
