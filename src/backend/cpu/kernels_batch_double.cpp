// The inner loops of one instruction set in double.
#define LIMRISK_DEFINE_BATCH double
#include "kernels/group_pass.hpp"
