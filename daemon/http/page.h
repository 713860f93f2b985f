/* The dashboard's files, carried inside: the build makes the table from the folder config/page and the chart library. */
#pragma once

struct page_file {
    const char *name;
    const char *bytes;
    const unsigned long *len;
};
extern const struct page_file page_files[]; /* name NULL ends it */
