// The inner loops of one instruction set in float.
#define LIMRISK_DEFINE_BATCH float
#include "kernels/group_pass.hpp"
