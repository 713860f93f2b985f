/* What the files of the formula parser share: the state of one parse, and typed nodes. */
#pragma once

#include "daemon/catalogue/formula.h"
#include "daemon/catalogue/scan.h"

enum {
    NESTING_MAX = 16,     /* metrics of metrics */
    PARENTHESES_MAX = 64, /* within each other, calls too */
    OPERANDS_MAX = 256    /* in all */
};

struct parser {
    struct scanner scanner; /* of the formula that is being read: the metric's, or one that it is made of */
    struct metric *metric;
    const struct catalogue *catalogue;
    struct arena *arena;
    struct problems *problems;
    const struct metric *inside[NESTING_MAX]; /* the metric itself, then those it is made of, down to here */
    int depth, parentheses, operands;
};

/* A node and what is known of its value before any number is seen. */
struct typed {
    struct node *node;
    int money, time; /* exponents: 1 for money or milliseconds, 0 after one was divided by the other, -1 below */
    bool parted;     /* one value per currency */
    bool spread;     /* a distribution */
    bool goal;       /* of goals */
};

/* Adds the problem to the formula at fault (the metric's, or one that it is made of), with the column. False. */
bool parser_fail(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The problem to come is where the name begins. */
void point_at(struct parser *parser, struct span name);
const char *did_you_mean(struct parser *parser, const char *best); /* ", did you mean …?", or nothing for NULL */

bool parse_formula(struct parser *parser, struct typed *out);
bool parse_factor(struct parser *parser, struct typed *out);  /* one operand with its filters */
bool parse_operand(struct parser *parser, struct typed *out); /* fact.measure, metric or call */
bool parse_filter(struct parser *parser, unsigned first);     /* behind "[": for the atoms from `first` on */
bool parse_call(struct parser *parser, struct span name, struct typed *out, bool *found); /* behind "(" */
bool add_atom(struct parser *parser, int fact, int measure, struct typed *out);           /* one more sum */
bool find_metric(struct parser *parser, struct span name, struct metric **metric);        /* or a problem */

struct node *node_new(struct parser *parser, enum node_type type);
