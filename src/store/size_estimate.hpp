// How large a campaign's store becomes, told before it runs.
#pragma once
#include "campaign/campaign.hpp"

namespace limrisk {

/// Bytes of the finished store, about; where a rule may end cells before, at most. A test holds it to stores of both kinds.
double estimated_store_bytes(const Campaign& campaign);

/// The part of them that the parameters of the trials need, if any are kept.
double estimated_parameter_bytes(const Campaign& campaign);

}  // namespace limrisk
