// Finds the cells that cannot run before anything is stored: a store of a campaign that fails at once would be in the way of the right one.
#pragma once
#include "campaign/campaign.hpp"

namespace limrisk {

/// Makes the tables of every problem of the campaign (target, input, evaluation, nodes) once. Throws ConfigError with all that fail.
void check_problems(const Campaign& campaign);

}  // namespace limrisk
