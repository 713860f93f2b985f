# Turns a file into a C source with its bytes: cmake -DIN=file -DOUT=file.c -DSYMBOL=name -P embed.cmake
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "extern const char ${SYMBOL}[];\nextern const unsigned long ${SYMBOL}_bytes;\n"
     "const char ${SYMBOL}[] = {${bytes}0};\nconst unsigned long ${SYMBOL}_bytes = sizeof ${SYMBOL} - 1;\n")
