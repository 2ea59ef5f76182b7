// The lane vocabulary that this translation unit has: one lane always, SIMD registers where LIMRISK_VECTOR_BYTES is given.
// Both come before any template that uses them: registers have no namespace in which later overloads would be found.
#pragma once
#include "lanes_scalar.hpp"
#if defined(LIMRISK_VECTOR_BYTES)
#include "lanes_vector.hpp"
#endif
