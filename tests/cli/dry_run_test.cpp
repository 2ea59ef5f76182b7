// What a dry run says of a campaign too small for its devices.
#include "cli/dry_run.hpp"

#include <gtest/gtest.h>

namespace limrisk::cli {
namespace {

TEST(DryRun, SaysHowMuchOfTheDevicesACellFills) {
    EXPECT_EQ(filling_text(300, 2112),
              "fills 14.2 % of the devices: 300 of 2112 trials that run at the same time; 1812 more would take hardly longer");
    EXPECT_EQ(filling_text(2000, 2112),
              "fills 94.7 % of the devices: 2000 of 2112 trials that run at the same time; 112 more would take hardly longer");
    EXPECT_EQ(filling_text(2112, 2112), "");
    EXPECT_EQ(filling_text(5000, 2112), "");
    EXPECT_EQ(filling_text(1, 0), "") << "the CPU";
}

}  // namespace
}  // namespace limrisk::cli
