"""The words of the language: which functions and operators there are, and what people call them."""

from typing import Final

COMPARISONS: Final = {"_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
ARITHMETIC: Final = {"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%"}
OPERATORS: Final = {
    **COMPARISONS,
    **ARITHMETIC,
    "_&&_": "&&",
    "_||_": "||",
    "!_": "!",
    "-_": "-",
    "_?_:_": "? :",
    "@in": "in",
    "_[_]": "[ ]",
}
TEXT_TESTS: Final = ("startsWith", "endsWith", "contains")
MACROS: Final = ("has", "exists", "all", "exists_one", "existsOne", "map", "filter", "transformList")
CONVERSIONS: Final = ("bool", "int", "string", "timestamp", "duration")
DURATION_ACCESSORS: Final = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")
TIMESTAMP_ACCESSORS: Final = (
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    *DURATION_ACCESSORS,
)
FUNCTIONS: Final = (*MACROS, *CONVERSIONS, *TEXT_TESTS, "size", *TIMESTAMP_ACCESSORS)

TYPE_WORDS: Final = {
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    "null_type": "null",
}
# What people write who know another language.
LOGIC_WORDS: Final = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "AND": "&&",
    "OR": "||",
    "NOT": "!",
    "=": "==",
    "&": "&&",
    "|": "||",
}
