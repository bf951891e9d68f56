# The provider of cedar.test takes some mail for spam: a message is filed by the last hexadecimal digit before the @ of its
# Message-ID, so the same message is always filed alike and the share is a number of sixteenths. Bounces are spared.
require ["envelope", "fileinto", "mailbox", "regex"];

if allof (envelope :domain :is "to" "cedar.test",
          not envelope :is "from" "",
          header :regex "Message-ID" "@JUNK_DIGITS@@")
{
    fileinto :create "Junk";
    stop;
}
