# cmake -D KERNELS=dir -D OUT=dir -D MISTAKE=file -P plant.cmake
# Copies kernels/ to OUT/kernels with one mistake planted. The file names a header, the text to change and what it becomes.
# Fails if that text is not there exactly once: the mistake would be no mistake.
file(READ ${MISTAKE} mistake)
if(NOT mistake MATCHES "^([^\n]+)\n<<<<\n(.*)\n====\n(.*)\n>>>>\n$")
  message(FATAL_ERROR "${MISTAKE}: expected a header's name, <<<<, the text, ====, its replacement, >>>>")
endif()
set(header "${CMAKE_MATCH_1}")
set(from "${CMAKE_MATCH_2}")
set(to "${CMAKE_MATCH_3}")
file(READ ${KERNELS}/${header} source)
string(FIND "${source}" "${from}" first)
string(FIND "${source}" "${from}" last REVERSE)
if(first EQUAL -1 OR NOT first EQUAL last)
  message(FATAL_ERROR "${MISTAKE}: '${from}' does not stand exactly once in kernels/${header}; adapt the mistake to the code")
endif()
string(REPLACE "${from}" "${to}" source "${source}")
file(GLOB headers ${KERNELS}/*.hpp)
file(COPY ${headers} DESTINATION ${OUT}/kernels)
file(WRITE ${OUT}/kernels/${header} "${source}")
# COPY keeps times of modification, which may lie before those of objects compiled from an older copy.
file(GLOB copies ${OUT}/kernels/*.hpp)
file(TOUCH ${copies})
file(TOUCH ${OUT}/planted)
