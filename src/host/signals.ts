const watched = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the signals that end a program into an abort, so that everything is taken down before the
 * end. A second signal changes nothing: taking down is already under way.
 *
 * The terminal may be gone (SIGHUP): writing to it then fails, and must not stop the teardown.
 */
export const watchSignals = (): { readonly signal: AbortSignal; readonly release: () => void } => {
  const controller = new AbortController();
  const onSignal = () => controller.abort();
  const ignoreBrokenPipe = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  };
  for (const name of watched) process.on(name, onSignal);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreBrokenPipe);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of watched) process.off(name, onSignal);
    },
  };
};
