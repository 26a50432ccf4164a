/* SPDX-License-Identifier: ISC */
/* The command line: one file a command. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cli_main(int argc, char **argv); /* the process's exit status (sysexits.h) */

#endif
