package dev.amanuensis.worker;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Takes rights away and gives them back while everybody is anonymous and may do the rest. */
record Acls(String bootstrapServers) {
  /** Settings of a broker that asks for rights: all are there where no ACL says otherwise. */
  static final Map<String, String> BROKER =
      Map.of(
          "authorizer.class.name",
          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
          "allow.everyone.if.no.acl.found",
          "true");

  private static AclBinding acl(
      ResourcePattern on, AclOperation operation, AclPermissionType permission) {
    return new AclBinding(on, new AccessControlEntry("User:ANONYMOUS", "*", operation, permission));
  }

  void deny(AclOperation operation, ResourceType type, String name) throws Exception {
    ResourcePattern on = new ResourcePattern(type, name, PatternType.LITERAL);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
      // Where there is one ACL, what none allows is refused.
      admin
          .createAcls(
              List.of(
                  acl(on, AclOperation.ALL, AclPermissionType.ALLOW),
                  acl(on, operation, AclPermissionType.DENY)))
          .all()
          .get();
    }
  }

  void giveBack(AclOperation operation, ResourceType type, String name) throws Exception {
    ResourcePattern on = new ResourcePattern(type, name, PatternType.LITERAL);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
      admin.deleteAcls(List.of(acl(on, operation, AclPermissionType.DENY).toFilter())).all().get();
    }
  }
}
