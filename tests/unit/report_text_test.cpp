// Text of unknown origin in scripts and pages, and numbers in words.
#include <gtest/gtest.h>

#include "report/csv_text.hpp"
#include "report/figure_text.hpp"
#include "report/figures.hpp"
#include "report/markup.hpp"
#include "report/plot_script.hpp"
#include "report_fixture.hpp"
#include "text/number_text.hpp"
#include "text/printable_text.hpp"

namespace limrisk::testing {
namespace {

TEST(ReportText, PrintableTextIsUtf8WithoutControls) {
    EXPECT_EQ(printable_text("width h = 3, L²"), "width h = 3, L²");
    EXPECT_EQ(printable_text("a\nb\tc\x01"
                             "d\x7F"),
              "a b c d ");
    EXPECT_EQ(printable_text("a\nb\tc\r", true), "a\nb\tc ");
    EXPECT_EQ(printable_text("\xC2\x85|"), " |");                                        // C1 control
    EXPECT_EQ(printable_text("\xFF|\xC3|\xE2\x82"), "�|�|��");                           // no UTF-8
    EXPECT_EQ(printable_text("\xC0\xAF|\xED\xA0\x80|\xF4\x90\x80\x80"), "��|���|����");  // too long a form, a surrogate, beyond U+10FFFF
    EXPECT_EQ(printable_text("\xEF\xBF\xBF"), "�");                                      // U+FFFF is not in XML
    EXPECT_EQ(printable_text("\xF0\x9F\x8C\x8D"), "\xF0\x9F\x8C\x8D");
}

TEST(ReportText, ShortenedCountsCharacters) {
    EXPECT_EQ(shortened("L²L²", 4), "L²L²");
    EXPECT_EQ(shortened("L²L²L", 4), "L²L…");
    EXPECT_EQ(shortened("", 4), "");
}

TEST(ReportText, GnuplotTextIsOneSingleQuotedString) {
    EXPECT_EQ(gnuplot_text("it's `date` @a \\"), "'it''s `date` @a \\'");
    const std::string quoted = gnuplot_text(hostile);
    EXPECT_EQ(quoted.find('\n'), std::string::npos);
    ASSERT_GE(quoted.size(), 2u);
    // Between the outer quotes only pairs of quotes.
    const std::string inner = quoted.substr(1, quoted.size() - 2);
    for (std::size_t at = 0; (at = inner.find('\'', at)) != std::string::npos; at += 2) EXPECT_EQ(inner.substr(at, 2), "''");
}

TEST(ReportText, MarkupIsEscaped) {
    EXPECT_EQ(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    EXPECT_EQ(element("td", "a < b", "class=\"x\""), "<td class=\"x\">a &lt; b</td>");
    EXPECT_EQ(prose("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
    EXPECT_EQ(prose("one ` alone"), "one <code> alone</code>");
    EXPECT_EQ(escaped(hostile).find('<'), std::string::npos);
}

TEST(ReportText, PercentSaysHundredOnlyOfAll) {
    EXPECT_EQ(percent_text(0), "0.0 %");
    EXPECT_EQ(percent_text(0.373), "37.3 %");
    EXPECT_EQ(percent_text(1), "100 %");
    EXPECT_EQ(percent_text(4095.0 / 4096), "99.98 %");
    EXPECT_EQ(percent_text(1 - 1e-13), ">99.999 %");
    EXPECT_EQ(percent_text(1e-5), "0.001 %");
}

TEST(ReportText, Numbers) {
    EXPECT_EQ(csv_number(std::numeric_limits<double>::infinity()), "inf");
    EXPECT_EQ(csv_number(std::numeric_limits<double>::quiet_NaN()), "");
    EXPECT_EQ(csv_number(0.1), "0.1");
    EXPECT_EQ(std::stod(csv_number(1.0 / 3)), 1.0 / 3);
    EXPECT_EQ(counted(1, "trial"), "1 trial");
    EXPECT_EQ(counted(1234567, "trial"), "1,234,567 trials");
    EXPECT_EQ(counted(999, "trial"), "999 trials");
}

TEST(ReportAxis, LabelsLieWithinTheRange) {
    for (const double low : {1e-250, 3.7e-5, 0.011, 0.9, 2e7}) {
        for (const double ratio : {1.01, 1.5, 4.0, 90.0, 1e6, 1e40}) {
            const PlotAxis axis = logarithmic_axis("", low, low * ratio);
            EXPECT_GE(axis.tics.size(), 1u) << low << " " << ratio;
            EXPECT_LE(axis.tics.size(), 12u) << low << " " << ratio;
            for (const auto& [value, label] : axis.tics) {
                EXPECT_GE(value, low * (1 - 1e-6));
                EXPECT_LE(value, low * ratio * (1 + 1e-6));
                EXPECT_FALSE(label.empty());
            }
        }
    }
    const PlotAxis axis = linear_axis("", 0, 7.3);
    EXPECT_EQ(axis.tics.front().second, "0");
    EXPECT_EQ(axis.tics.back().second, "6");
}

TEST(ReportAxis, WidthsThatWouldOverlapLoseTheirLabel) {
    std::vector<double> widths;
    for (int h = 1; h <= 64; ++h) widths.push_back(h);
    const PlotAxis axis = doubling_axis("", widths);
    EXPECT_LT(axis.tics.size(), 30u);
    EXPECT_EQ(axis.tics.size() + axis.minor_tics.size(), widths.size());
    EXPECT_EQ(doubling_axis("", {1, 2, 4, 8, 16, 32, 64}).tics.size(), 7u);
}

TEST(NumberText, GroupsDigits) {
    EXPECT_EQ(grouped_digits(0), "0");
    EXPECT_EQ(grouped_digits(999), "999");
    EXPECT_EQ(grouped_digits(65536), "65,536");
    EXPECT_EQ(grouped_digits(100000000), "100,000,000");
    EXPECT_EQ(grouped_digits(-1234), "-1,234");
}

}  // namespace
}  // namespace limrisk::testing
