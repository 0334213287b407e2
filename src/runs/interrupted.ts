/** Exit status of a process that was asked to stop and saved its work (EX_TEMPFAIL of sysexits.h). */
export const INTERRUPTED = 75;
