# The CUDA toolkit, if there is one, and how its nvcc compiles the few .cu files.
#
# Not by enable_language(CUDA): it knows fewer places, ends the configuration where nvcc is broken (here one backend would be lacking),
# and would let nvcc's host compiler link every program that contains device code.
#
# Sets LIMRISK_CUDA_FOUND and LIMRISK_CUDA_DESCRIPTION ("CUDA 13.0, machine code for ...") or LIMRISK_CUDA_ABSENT (why there is none),
# and with a toolkit makes the target limrisk_cudart and limrisk_cuda_sources(target file...).
include(cmake/find_cuda.cmake)

set(LIMRISK_CUDA AUTO CACHE STRING "The CUDA backend: AUTO (if there is a toolkit), ON (fail without one) or OFF")
set_property(CACHE LIMRISK_CUDA PROPERTY STRINGS AUTO ON OFF)
set(LIMRISK_CUDA_TOOLKIT "" CACHE PATH "Folder of the CUDA toolkit, the one above bin/nvcc; empty: search")
set(LIMRISK_CUDA_ARCHITECTURES "" CACHE STRING "Architectures of device code, written as in CMAKE_CUDA_ARCHITECTURES; empty: a default")
# Its licence lets nobody pass on a program that contains the header (docs/building.md); the rounds of kernels/ compute the same words.
option(LIMRISK_CURAND "Embed cuRAND's Philox header for device compilations, if the toolkit has it" ON)
# The first with cudaLibraryLoadData.
set(LIMRISK_CUDA_LEAST 12.8)

# Code for devices of compute capability 7.5 and newer: machine code for the large ones, and the lowest as PTX, of which a driver makes
# machine code for any other. More of them cost a quarter of a minute of nvcc each. (Training kernels are compiled when the program runs.)
set(default_architectures 75-virtual 80-real 90-real 100-real)

set(LIMRISK_CUDA_FOUND FALSE)
set(LIMRISK_CUDA_DESCRIPTION "")
set(LIMRISK_CUDA_ABSENT "")
if(NOT LIMRISK_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "LIMRISK_CUDA is ${LIMRISK_CUDA}: it must be AUTO, ON or OFF")
elseif(LIMRISK_CUDA STREQUAL OFF)
  set(LIMRISK_CUDA_ABSENT "it was configured with LIMRISK_CUDA=OFF")
else()
  limrisk_find_cuda()
endif()

if(LIMRISK_CUDA_FOUND)
  if(LIMRISK_CUDA_ARCHITECTURES)
    set(architectures ${LIMRISK_CUDA_ARCHITECTURES})
  else()
    set(architectures ${default_architectures})
  endif()
  set(codes "")
  set(names "")
  foreach(architecture IN LISTS architectures)
    if(NOT architecture MATCHES "^([0-9]+)([af]?)(-real|-virtual)?$")
      message(FATAL_ERROR "LIMRISK_CUDA_ARCHITECTURES: '${architecture}' is no architecture; write for example 80-real;90-real;100")
    endif()
    set(number ${CMAKE_MATCH_1}${CMAKE_MATCH_2})
    set(kind "${CMAKE_MATCH_3}")
    if(NOT CMAKE_MATCH_1 IN_LIST LIMRISK_CUDA_KNOWN)
      if(LIMRISK_CUDA_ARCHITECTURES)
        list(JOIN LIMRISK_CUDA_KNOWN ", " known)
        message(FATAL_ERROR "LIMRISK_CUDA_ARCHITECTURES: nvcc ${LIMRISK_CUDA_VERSION} of ${LIMRISK_CUDA_ROOT} does not know ${number}, only ${known}")
      endif()
      continue()
    endif()
    if(NOT kind STREQUAL "-virtual")
      list(APPEND codes -gencode=arch=compute_${number},code=sm_${number})
      list(APPEND names sm_${number})
    endif()
    if(NOT kind STREQUAL "-real")
      list(APPEND codes -gencode=arch=compute_${number},code=compute_${number})
      list(APPEND names compute_${number})
    endif()
  endforeach()
  list(APPEND LIMRISK_CUDA_NVCC ${codes})
  set(LIMRISK_CUDA_CODE ${names})
  list(JOIN names ", " names)
  set(LIMRISK_CUDA_DESCRIPTION "CUDA ${LIMRISK_CUDA_VERSION}, device code for ${names}")
  message(STATUS "CUDA backend: ${LIMRISK_CUDA_DESCRIPTION}, toolkit in ${LIMRISK_CUDA_ROOT}")

  add_library(limrisk_cudart INTERFACE)
  target_include_directories(limrisk_cudart SYSTEM INTERFACE ${LIMRISK_CUDA_INCLUDES})
  target_link_libraries(limrisk_cudart INTERFACE ${LIMRISK_CUDA_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
elseif(NOT LIMRISK_CUDA_ABSENT)
  list(JOIN LIMRISK_CUDA_TRIED "\n  " tried)
  if(LIMRISK_CUDA STREQUAL ON)
    message(FATAL_ERROR "LIMRISK_CUDA=ON, and no CUDA toolkit was found that can be used:\n  ${tried}\n"
      "Install CUDA ${LIMRISK_CUDA_LEAST} or newer (docs/building.md), or say where it is with -DLIMRISK_CUDA_TOOLKIT=FOLDER.")
  endif()
  list(JOIN LIMRISK_CUDA_TRIED ", " tried)
  set(LIMRISK_CUDA_ABSENT "no CUDA toolkit was found when it was built (${tried})")
endif()
if(LIMRISK_CUDA_ABSENT)
  message(STATUS "CUDA backend: not in this build, ${LIMRISK_CUDA_ABSENT}")
endif()

# limrisk_cuda_sources(target file.cu...) compiles device code into `target`, which a C++ compiler links.
function(limrisk_cuda_sources target)
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source)
    cmake_path(GET source FILENAME name)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
    add_custom_command(OUTPUT ${object}
      COMMAND ${LIMRISK_CUDA_NVCC} -I${PROJECT_SOURCE_DIR} -I${PROJECT_SOURCE_DIR}/src -I${PROJECT_SOURCE_DIR}/include -MD -MF ${object}.d -c ${source} -o ${object}
      DEPENDS ${source} DEPFILE ${object}.d COMMENT "Compiling device code ${name}" VERBATIM COMMAND_EXPAND_LISTS)
    set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    target_sources(${target} PRIVATE ${object})
  endforeach()
endfunction()
