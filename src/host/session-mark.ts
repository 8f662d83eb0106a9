/**
 * The environment variable that every process of a session carries, the container's PID 1
 * included: by it they are found again when rescuekit itself was killed.
 */
export const sessionVariable = 'RESCUEKIT_SESSION';
