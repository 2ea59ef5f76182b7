# Usage requirements that every target of limrisk shares: warnings, exact arithmetic, include paths, sanitizers.
add_library(limrisk_options INTERFACE)
target_compile_features(limrisk_options INTERFACE cxx_std_20)
target_include_directories(limrisk_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
target_compile_options(limrisk_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  # Bits are promised: no contraction, no reassociation (docs/numerics.md).
  -ffp-contract=off -fno-fast-math -fno-math-errno
  # Exponent arithmetic on bit patterns wraps.
  -fwrapv)
if(LIMRISK_SANITIZE)
  target_compile_options(limrisk_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(limrisk_options INTERFACE -fsanitize=address,undefined)
endif()
if(LIMRISK_SANITIZE_THREAD)
  target_compile_options(limrisk_options INTERFACE -fsanitize=thread)
  target_link_options(limrisk_options INTERFACE -fsanitize=thread)
endif()
